"""A camera that speaks RTSP, as far as one that asks for a stream over TCP gets to see of it.

The stream is a transport stream in RTP packets (RFC 2326, interleaved; payload 33 of RFC 2250).
"""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import threading
import time

PER_PACKET = 7 * 188
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 33\r\na=control:track1\r\n"
)


class RtspCamera:
    """Sends `data` within `seconds` to everybody who gives the right name and password."""

    def __init__(self, data, seconds, user="admin", password="pa55word"):
        self.data, self.seconds = data, seconds
        self.key = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.line = None
        self.plays = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def hang_up(self):
        """Cut the line that is being sent on."""
        with contextlib.suppress(OSError):
            if self.line is not None:
                self.line.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.hang_up()
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                line, _ = self.server.accept()
                threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line):
        with line, line.makefile("rb") as asked, contextlib.suppress(OSError):
            while request := asked.readline().decode():
                headers = {}
                while name := asked.readline().decode().strip():
                    key, _, value = name.partition(":")
                    headers[key.lower()] = value.strip()
                method = request.split()[0]
                self._answer(line, method, headers)
                if method == "PLAY":
                    self.line, self.plays = line, self.plays + 1
                    self._send(line)
                    return

    def _answer(self, line, method, headers):
        known = headers.get("authorization") == f"Basic {self.key}"
        said = {"CSeq": headers.get("cseq", "0")}
        body = ""
        if method == "OPTIONS":
            said["Public"] = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"
        elif not known:
            said["WWW-Authenticate"] = 'Basic realm="camera"'
        elif method == "DESCRIBE":
            body, said["Content-Type"] = SDP, "application/sdp"
        elif method == "SETUP":
            said |= {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1", "Session": "1"}
        else:
            said["Session"] = "1"
        said["Content-Length"] = str(len(body))
        status = "200 OK" if known or method == "OPTIONS" else "401 Unauthorized"
        lines = [f"RTSP/1.0 {status}", *(f"{name}: {value}" for name, value in said.items())]
        line.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def _send(self, line):
        for number, at in enumerate(range(0, len(self.data), PER_PACKET)):
            piece = self.data[at : at + PER_PACKET]
            rtp = struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, number * 900, 7) + piece
            line.sendall(struct.pack(">cBH", b"$", 0, len(rtp)) + rtp)
            time.sleep(self.seconds * PER_PACKET / len(self.data))
