"""The answers of the page's server, and which requests it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mot_dinov3.outputs.serve.picture import LivePicture

if TYPE_CHECKING:
    from mot_dinov3.outputs.serve.server import PageServer

FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    "watch.js": ("watch.js", "text/javascript; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; "
    "script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Nothing is loaded from elsewhere, framed or kept, and no other site learns the address."""

SLOW_S = 5.0
"""Seconds after which a client that neither takes nor sends is disconnected."""
AGAIN_S = 2.0
"""Seconds after which a picture is sent again: it shows whether the client is still there."""
BOUNDARY = b"picture"


class PageHandler(BaseHTTPRequestHandler):
    """Answers one request for the page, its figures or its pictures, or ends the run.

    Without the secret in its path every request is answered with "not found".
    """

    timeout = SLOW_S
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain; charset=utf-8"
    server: PageServer
    files: Mapping[str, tuple[str, str]] = FILES

    def __init__(
        self,
        *request: Any,  # noqa: ANN401 - what socketserver hands on
        picture: LivePicture,
        figures: Callable[[], dict[str, Any]],
        ask_stop: Callable[[], None],
    ) -> None:
        """Answer the request.

        Args:
            *request: what `socketserver` hands on.
            picture: the newest picture.
            figures: returns the figures of the run.
            ask_stop: called when the request asks for the end of the run.
        """
        self._picture, self._figures, self._ask_stop = picture, figures, ask_stop
        super().__init__(*request)

    def do_GET(self) -> None:
        """Answer with a file, the figures or the stream of pictures."""
        place = self._place()
        if place is None:
            return
        if place in self.files:
            name, kind = self.files[place]
            self._answer(
                files("mot_dinov3.outputs.serve").joinpath("static", name).read_bytes(), kind
            )
        elif place == "state":
            self._answer(json.dumps(self._figures()).encode(), "application/json")
        elif place == "stream":
            self._stream()
        else:
            self._answer_other(place)

    def _answer_other(self, place: str) -> None:
        """Answer for a place that this page does not have."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """End the run if the request comes from our own page."""
        place = self._place()
        if place is None:
            return
        origin = self.headers.get("Origin")
        foreign = origin is not None and not self.server.is_ours(urlsplit(origin).netloc)
        if foreign or self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            self.send_error(HTTPStatus.FORBIDDEN)
        elif place == "stop":
            self._ask_stop()
            self._answer(b"{}", "application/json", HTTPStatus.ACCEPTED)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def version_string(self) -> str:
        """The name of the server, without its version."""
        return "mot_dinov3"

    def log_message(self, *_: object) -> None:
        """Write no log, as requests hold the secret."""

    def end_headers(self) -> None:
        """Add the headers of every answer."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def _place(self) -> str | None:
        """The path behind the secret; None when the request was refused already."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not self.server.is_ours(hosts[0].strip()):
            self.send_error(HTTPStatus.FORBIDDEN)
            return None
        token, slash, place = urlsplit(self.path).path.removeprefix("/").partition("/")
        if not (self.server.knows(token) and slash):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        if not self.server.visitors.admit(self.request):
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            return None
        return place

    def _answer(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """Send the newest pictures as they come; a slow client misses some, or is disconnected."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY.decode()}")
        self.end_headers()
        self.wfile.write(b"--" + BOUNDARY)
        number = 0
        with self._picture.watch():
            while not self._picture.over:
                number, jpeg = self._picture.wait_for_next(number, AGAIN_S)
                if jpeg:
                    head = f"\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    # The boundary right behind it: a browser shows a picture when that has come.
                    self.wfile.write(head.encode() + jpeg + b"\r\n--" + BOUNDARY)
        self.wfile.write(b"--\r\n")
