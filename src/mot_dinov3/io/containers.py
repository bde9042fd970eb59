"""Opening media with libav so that a file can only ever be read as a video, and only itself."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

import av
from av import Packet
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from mot_dinov3.errors import InputError
from mot_dinov3.io.truncation import describe_damage
from mot_dinov3.wording import make_printable

FILE_DEMUXERS = (
    "3gp,amv,apng,asf,av1,avi,cavsvideo,dirac,dv,evc,flv,gif,gxf,h261,h263,h264,hevc,ivf,"
    "m4v,matroska,mjpeg,mov,mp4,mpeg,mpegts,mpegvideo,mxf,nsv,nut,obu,ogg,rm,swf,ty,vc1,vvc,"
    "webm,wtv,yuv4mpegpipe"
)
"""Demuxers of self-contained video files; none of them opens another file by name."""
STREAM_DEMUXERS = FILE_DEMUXERS + ",dash,hls,live_flv,mpjpeg,rtsp"
STREAM_PROTOCOLS = "http,https,httpproxy,tls,tcp,udp,rtp,rtsp,rtmp,rtmps,srt,crypto"
STREAM_SCHEMES = frozenset({"http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "tcp", "udp"})

OPEN_TIMEOUT_S = 10.0
UDP_OPTIONS = {"overrun_nonfatal": "1"}
"""Packets that come too fast for us are lost, as ever on such a line; the rest goes on."""

_URL = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.\-]*://")


def is_url(source: str) -> bool:
    """Whether a source names a stream, such as `rtsp://camera/1`, and not a file."""
    return _URL.match(source) is not None


def split_address(url: str) -> SplitResult:
    """The parts of an address; `...` for the host of one that is none, such as `rtsp://[1`."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult(url.partition(":")[0], "...", "", "", "")


def printable_name(source: str) -> str:
    """The source as messages may show it: no credentials, no query, no control characters.

    Every message loses such characters anyway; a source is also shown on pages and in tables.
    """
    if is_url(source):
        parts = split_address(source)
        host = parts.netloc.rpartition("@")[2]
        source = urlunsplit((parts.scheme, host, parts.path, "", ""))
        source += "?..." if parts.query else ""
    return make_printable(source)


def open_file(path: Path) -> InputContainer:
    """Open a local video file; nothing but that file can be read through it.

    Raises:
        InputError: it is not a video in a known container, or its head is damaged.
    """
    name = printable_name(str(path))
    try:
        return av.open(
            f"file:{path.absolute()}",
            container_options={"format_whitelist": FILE_DEMUXERS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError) as error:
        if wound := describe_damage(path):
            raise InputError(
                f"'{name}' {wound}.",
                fix="Copy or record it again; a file that is still being written cannot be read.",
            ) from error
        raise InputError(
            f"'{name}' is not a video in any format that can be read here.",
            fix="Give a video file (mp4, mov, mkv, webm, avi, ts, ...), a directory of images, "
            "a quoted glob, a webcam index or a stream address.",
        ) from error


def open_stream(url: str, read_timeout_s: float) -> InputContainer:
    """Connect to a network stream, waiting at most `OPEN_TIMEOUT_S`.

    Reading is given up after `read_timeout_s` without anything.

    Raises:
        InputError: unknown scheme, no answer, refused; never shows the credentials.
    """
    name, scheme = printable_name(url), split_address(url).scheme.lower()
    if scheme not in STREAM_SCHEMES:
        raise InputError(
            f"Streams of the kind '{scheme}://' cannot be read ('{name}').",
            fix=f"Use one of: {', '.join(sorted(STREAM_SCHEMES))}.",
        )
    options = {"format_whitelist": STREAM_DEMUXERS, "protocol_whitelist": STREAM_PROTOCOLS}
    if scheme.startswith("rtsp"):
        options["rtsp_flags"] = "prefer_tcp"
    if scheme == "udp":
        options |= UDP_OPTIONS
    try:
        return av.open(
            url,
            container_options=options,
            timeout=(OPEN_TIMEOUT_S, read_timeout_s),
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no video in it"
        if isinstance(error, av.error.ExitError):  # what FFmpeg calls it means nothing to a user
            reason = f"no answer within {OPEN_TIMEOUT_S:g} s"
        # The original error shows the whole address, password included: it must not be chained.
        raise InputError(
            f"The stream '{name}' cannot be opened: {reason}.",
            fix="Check the address, the credentials, and that this machine can reach the host.",
        ) from None


def open_webcam(index: int) -> InputContainer:
    """Open a local camera by its number.

    Raises:
        InputError: there is no such camera, or it is in use.
    """
    fix = "Check that the camera is connected, is not used by another program, and its number."
    try:
        file, kind = _camera(index)
        return av.open(file, format=kind, metadata_errors="replace")
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise InputError(f"Webcam {index} cannot be opened.", fix=fix) from error


def _camera(index: int) -> tuple[str, str]:
    """What libav calls camera `index` here: (file, input format)."""
    if sys.platform == "darwin":
        return str(index), "avfoundation"
    if sys.platform == "win32":
        from av.device import enumerate_input_devices

        cameras = [d for d in enumerate_input_devices("dshow") if "video" in d.media_types]
        return f"video={cameras[index].name}", "dshow"
    return f"/dev/video{index}", "v4l2"


def packets_of(container: InputContainer, *streams: Stream) -> Iterator[Packet[Stream]]:
    """The packets of some streams, or of all that the head names, to the end.

    A stream may appear on the way, as sound in a transport stream does. PyAV does not know it
    and may stumble over it at the very end, when everything else has been handed out.
    """
    with suppress(IndexError):
        yield from container.demux(*streams)


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The stream with moving pictures; covers of music files do not count.

    Raises:
        InputError: there is none, or this build has no decoder for it.
    """
    cover = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    moving = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not moving:
        raise InputError(
            f"'{name}' has no video stream.", fix="Give a file that has pictures, not only sound."
        )
    readable = [stream for stream in moving if stream.codec_context is not None]
    if not readable:
        raise InputError(
            f"The video in '{name}' is coded in a way that this build cannot decode.",
            fix="Convert it first, for example to H.264 in mp4.",
        )
    best = container.streams.best("video")
    return best if isinstance(best, VideoStream) and best in readable else readable[0]
