"""Cameras on the loopback address: each connection sends what a script says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

LONG_S = 30
STEPS = 50


class LoopbackCamera:
    """A TCP server; connection after connection it sends a piece of a stream, then hangs up.

    Sending a piece lasts `lasts_s` seconds. A piece may be a pair of bytes and an event: then the
    line stays open, silent, until the event is set. Nobody is answered after the last
    piece.
    """

    def __init__(self, *pieces, lasts_s=0.0, head=b""):
        self.pieces, self.lasts_s, self.head = list(pieces), lasts_s, head
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.server.getsockname()[1]}"
        self.calls = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.over.set()
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(LONG_S)

    def serve(self):
        with contextlib.suppress(OSError):
            for number, piece in enumerate(self.pieces, 1):
                line = self.server.accept()[0]
                self.calls += 1
                if number == len(self.pieces):
                    self.server.close()
                with line, contextlib.suppress(OSError):
                    self.send(line, piece)

    def send(self, line, piece):
        if self.head:
            line.recv(4096)
            line.sendall(self.head)
        data, hold = piece if isinstance(piece, tuple) else (piece, None)
        step = len(data) // STEPS + 1
        for at in range(0, len(data), step):
            line.sendall(data[at : at + step])
            time.sleep(self.lasts_s / STEPS)
        if hold is not None:
            hold.wait(LONG_S)


def file_camera(data, lasts_s=0.0):
    """A camera behind http that says how long it is, as a file does: none of it is dropped."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nContent-Length: {len(data)}\r\n"
    camera = LoopbackCamera(data, lasts_s=lasts_s, head=f"{head}Connection: close\r\n\r\n".encode())
    camera.url = camera.url.replace("tcp://", "http://") + "/live"
    return camera
