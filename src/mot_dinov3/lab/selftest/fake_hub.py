"""A Hugging Face hub on the loopback address: files with etags, gates, refusals, silence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeAlias
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
LOGIN_PAGE = b"<!doctype html><title>Welcome to the hotel</title><p>Log in to use the network."

Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""Status, headers and content."""


class FakeHub:
    """What the server knows: repositories as directories, answers by repository.

    Attributes:
        repos: repository -> its files.
        pull_requests: repository -> the files of its pull request 7.
        answers: repository -> the one answer to every request: status, error code, message.
        portal: every request gets a login page, as from the network of a hotel.
        asked: the requests so far.
        url: its address.
    """

    def __init__(self) -> None:
        self.repos: dict[str, Path] = {}
        self.pull_requests: dict[str, Path] = {}
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.portal = False
        self.asked: list[str] = []
        self.url = ""
        self._server: ThreadingHTTPServer | None = None

    def serve(self, repo: str, directory: Path) -> None:
        """Offer the files of a directory as a model."""
        self.repos[repo] = directory

    def gate(self, repo: str, message: str) -> None:
        """Answer every request for `repo` as the hub does at a gate."""
        self.answers[repo] = (403, "GatedRepo", message.format(repo=repo))

    def answer(self, repo: str, status: int, code: str = "", message: str = "") -> None:
        """Answer every request for `repo` in the same way."""
        self.answers[repo] = (status, code, message)

    def start(self) -> None:
        """Listen at a free port."""
        handler = type("Handler", (HubHandler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        options = {"poll_interval": 0.02}
        Thread(target=self._server.serve_forever, kwargs=options, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on; more than once does no harm."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


class HubHandler(BaseHTTPRequestHandler):
    """Answers for the `FakeHub` that a subclass names."""

    hub: FakeHub

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as the standard library has it
        """Print nothing."""

    def do_HEAD(self) -> None:
        """Answer without the content."""
        self.respond(with_content=False)

    def do_GET(self) -> None:
        """Answer."""
        self.respond(with_content=True)

    def respond(self, *, with_content: bool) -> None:
        """Send what the hub knows of the path that is asked for."""
        path = urlparse(self.path).path
        self.hub.asked.append(f"{self.command} {path}")
        status, headers, content = self.look_up(path)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_content:
            self.wfile.write(content)

    def look_up(self, path: str) -> Answer:
        """The answer to a request."""
        if self.hub.portal:
            return 200, {"Content-Type": "text/html"}, LOGIN_PAGE
        words = path.strip("/").split("/")
        if words[:2] == ["api", "models"]:
            return self.list_discussions("/".join(words[2:4]))
        repo, rest = "/".join(words[:2]), words[3:]
        if repo in self.hub.answers:
            status, code, message = self.hub.answers[repo]
            if code == "GatedRepo" and "Authorization" not in self.headers:
                status, message = 401, RESTRICTED.format(repo=repo)
            return build_problem(status, code, message)
        if repo not in self.hub.repos:
            return build_problem(404, "RepoNotFound", "Repository not found")
        from_pr = rest[0] in ("refs%2Fpr%2F7", PR_COMMIT)
        directory = self.hub.pull_requests[repo] if from_pr else self.hub.repos[repo]
        return build_file_answer(directory / rest[-1], PR_COMMIT if from_pr else COMMIT)

    def list_discussions(self, repo: str) -> Answer:
        """List a repository's pull requests."""
        items = []
        if repo in self.hub.pull_requests:
            items = [
                describe_pull_request(repo, 6, "a stranger"),
                describe_pull_request(repo, 7, "SFconvertbot"),
            ]
        page = {"discussions": items, "count": len(items), "start": 0}
        return 200, {"Content-Type": "application/json"}, json.dumps(page).encode()


def build_file_answer(path: Path, commit: str) -> Answer:
    """Build the answer that holds a file, or says that it does not exist."""
    if not path.is_file():
        status, headers, content = build_problem(404, "EntryNotFound", "Entry not found")
        return status, {**headers, "X-Repo-Commit": commit}, content
    content = path.read_bytes()
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    return 200, {"ETag": etag, "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}, content


def build_problem(status: int, code: str, message: str) -> Answer:
    """Build an error as the hub says it."""
    headers = {"X-Error-Code": code, "X-Error-Message": message}
    return status, {name: value for name, value in headers.items() if value}, b""


def describe_pull_request(repo: str, number: int, author: str) -> dict[str, object]:
    """Describe an open pull request as the hub's list does."""
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
def run_hub() -> Iterator[FakeHub]:
    """Run a hub until the block ends; afterwards its address refuses connections."""
    hub = FakeHub()
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()
