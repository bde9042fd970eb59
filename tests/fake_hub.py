"""A Hugging Face hub on the loopback address: files with etags, gates, refusals, silence."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlparse

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PR_COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
RESTRICTED = (
    "Access to model {repo} is restricted. "
    "You must have access to it and be authenticated to access it. Please log in."
)
NOT_LISTED = (
    "Access to model {repo} is restricted and you are not in the authorized list. "
    "Visit https://huggingface.co/{repo} to ask for access."
)
PENDING = "Your request to access model {repo} is awaiting a review from the repo authors."
REFUSED = "Your request to access model {repo} has been rejected by the repo's authors."
FINE_GRAINED = (
    "Please enable access to public gated repositories in your fine-grained token settings "
    "to view this repository."
)


class FakeHub:
    """What the server knows: repositories as directories, answers by repository."""

    def __init__(self):
        self.repos: dict[str, Path] = {}
        self.pull_requests: dict[str, Path] = {}
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.asked: list[str] = []
        self.url = ""

    def serve(self, repo, directory):
        self.repos[repo] = directory

    def gate(self, repo, message):
        """Answer every request for `repo` as the hub does at a gate."""
        self.answers[repo] = (403, "GatedRepo", message.format(repo=repo))

    def answer(self, repo, status, code="", message=""):
        self.answers[repo] = (status, code, message)


class HubHandler(BaseHTTPRequestHandler):
    """Answers for the `FakeHub` that a subclass names."""

    hub: FakeHub

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.respond(b"")

    def do_GET(self):
        self.respond(None)

    def respond(self, body):
        path = urlparse(self.path).path
        self.hub.asked.append(f"{self.command} {path}")
        status, headers, content = self.look_up(path)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body is None:
            self.wfile.write(content)

    def look_up(self, path):
        words = path.strip("/").split("/")
        if words[:2] == ["api", "models"]:
            return self.discussions("/".join(words[2:4]))
        repo, rest = "/".join(words[:2]), words[3:]
        if repo in self.hub.answers:
            status, code, message = self.hub.answers[repo]
            if code == "GatedRepo" and "Authorization" not in self.headers:
                status, message = 401, RESTRICTED.format(repo=repo)
            return self.problem(status, code, message)
        if repo not in self.hub.repos:
            return self.problem(404, "RepoNotFound", "Repository not found")
        from_pr = rest[0] in ("refs%2Fpr%2F7", PR_COMMIT)
        directory = self.hub.pull_requests[repo] if from_pr else self.hub.repos[repo]
        return self.file(directory / rest[-1], PR_COMMIT if from_pr else COMMIT)

    def file(self, path, commit):
        if not path.is_file():
            status, headers, content = self.problem(404, "EntryNotFound", "Entry not found")
            return status, {**headers, "X-Repo-Commit": commit}, content
        content = path.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        return 200, {"ETag": etag, "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}, content

    def problem(self, status, code, message):
        headers = {"X-Error-Code": code, "X-Error-Message": message}
        return status, {k: v for k, v in headers.items() if v}, b""

    def discussions(self, repo):
        items = []
        if repo in self.hub.pull_requests:
            items = [pull_request(repo, 6, "a stranger"), pull_request(repo, 7, "SFconvertbot")]
        page = {"discussions": items, "count": len(items), "start": 0}
        return 200, {"Content-Type": "application/json"}, json.dumps(page).encode()


def pull_request(repo, number, author):
    return {
        "title": "Adding `safetensors` variant of this model",
        "num": number,
        "author": {"name": author},
        "createdAt": "2023-03-01T00:00:00.000Z",
        "status": "open",
        "repo": {"name": repo, "type": "model"},
        "isPullRequest": True,
    }


@contextmanager
def running_hub():
    """A hub that answers until the block ends; afterwards its address refuses connections."""
    hub = FakeHub()
    handler = type("Handler", (HubHandler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    hub.stop = lambda: (server.shutdown(), server.server_close())
    try:
        yield hub
    finally:
        hub.stop()
        thread.join()
