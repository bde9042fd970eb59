"""Sources that name other files, other machines, or programs."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

from mot_dinov3.errors import EXIT_INPUT, EXIT_USAGE
from mot_dinov3.lab.selftest.clips import KINDS, make_clip
from mot_dinov3.lab.selftest.traps import Prepare, Traps, Trick

LOOK = ("--det", "motion", "--embedder", "none", "--device", "cpu", "--output", "o.mp4")
ONE_SEGMENT = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:9,\n{}\n"
HLS = ONE_SEGMENT + "#EXT-X-ENDLIST\n"
HLS_KEY = (
    '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI="{}"\n#EXTINF:9,\nin.mp4\n'
    "#EXT-X-ENDLIST\n"
)
HLS_MAP = (
    '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-MAP:URI="{}"\n#EXTINF:9,\nin.mp4\n#EXT-X-ENDLIST\n'
)
CONCAT = "ffconcat version 1.0\nfile '{}'\n"
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4">'
    '<Representation id="1" bandwidth="1"><BaseURL>{}</BaseURL><SegmentBase/>'
    "</Representation></AdaptationSet></Period></MPD>"
)
SDP = (
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "a=control:{}\nm=video 0 RTP/AVP 96\n"
)
SMIL = '<?xml version="1.0"?><smil><body><video src="{}"/></body></smil>'
SVG = (
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY all SYSTEM "{0}">]>'
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="64" height="48"><image xlink:href="{0}" width="64" height="48"/>'
    '<script xlink:href="{0}"/><text>&all;</text></svg>'
)
POSTSCRIPT = (
    "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n({}) (w) file closefile\n"
    "(%pipe%touch {}) (w) file closefile\nshowpage\n"
)
MAGICK = "push graphic-context\nviewbox 0 0 64 48\nimage over 0,0 64,48 '{}'\npop graphic-context\n"


def plant_file_name(text: str, name: str = "in.mp4", prefix: str = "") -> Prepare:
    """Plant a text whose place `{}` names the secret file."""

    def prepare(directory: Path, traps: Traps) -> Sequence[str]:
        (directory / name).write_text(text.format(f"{prefix}{traps.secret}"), encoding="utf-8")
        return ("--source", name, *LOOK)

    return prepare


def plant_address(text: str, name: str = "in.mp4") -> Prepare:
    """Plant a text whose place `{}` names an address."""

    def prepare(directory: Path, traps: Traps) -> Sequence[str]:
        (directory / name).write_text(text.format(traps.url), encoding="utf-8")
        return ("--source", name, *LOOK)

    return prepare


def plant_command(source: str) -> Prepare:
    """Give a source that is a command of libav, with `{}` for the secret file."""

    def prepare(directory: Path, traps: Traps) -> Sequence[str]:
        return ("--source", source.replace("{}", str(traps.secret)), *LOOK)

    return prepare


def plant_postscript(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant a program for Ghostscript that calls itself a picture."""
    text = POSTSCRIPT.format(traps.marker, traps.marker)
    (directory / "in.png").write_text(text, encoding="utf-8")
    return ("--source", "in.png", *LOOK)


def plant_script(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant a script of VapourSynth, which is Python."""
    text = f"open({str(traps.marker)!r}, 'w')\n"
    (directory / "in.vpy").write_text(text, encoding="utf-8")
    return ("--source", "in.vpy", *LOOK)


def plant_movie(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant a movie that says of its pictures that they lie in another file."""
    movie = make_clip(directory / "in.mp4", KINDS[0], 12, (64, 48))
    movie.write_bytes(refer_to(movie.read_bytes(), traps.secret))
    return ("--source", "in.mp4", "--max-frames", "1", *LOOK)


def refer_to(movie: bytes, other: Path) -> bytes:
    """Give a movie the alias of another file as its data reference.

    Boxes around the reference grow (ISO/IEC 14496-12, 8.7.2; alias: QuickTime File Format,
    "Data reference atoms"); `moov` must come last, so that no picture moves.
    """
    out = bytearray(movie)
    entry = movie.index(b"url \0\0\0\1") - 4
    path = bytes(other).lstrip(b"/").replace(b"/", b":")
    path += bytes(len(path) % 2)
    record = struct.pack(">HH", 2, len(path)) + path + struct.pack(">HH", 0xFFFF, 0)
    alias = bytes(10 + 28 + 12 + 64 + 16) + struct.pack(">HH", 1, 2) + bytes(16) + record
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        start = movie.rindex(kind, 0, entry) - 4
        struct.pack_into(">I", out, start, struct.unpack_from(">I", movie, start)[0] + len(alias))
    struct.pack_into(">I4sI", out, entry, 12 + len(alias), b"alis", 0)
    out[entry + 12 : entry + 12] = alias
    return bytes(out)


def plant_sequence(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant a sequence whose images are said to lie outside of it."""
    (directory / "seq").mkdir()
    traps.secret.rename(traps.secret.with_name("000001.jpg"))
    outside = os.path.relpath(traps.secret.parent, directory / "seq")
    text = f"[Sequence]\nname=x\nimDir={outside}\nframeRate=25\nseqLength=1\nimWidth=64\n"
    (directory / "seq" / "seqinfo.ini").write_text(text + "imHeight=48\nimExt=.jpg\n")
    return ("--source", "mot:seq", *LOOK)


SOURCE_TRICKS = (
    Trick("playlist-file", EXIT_INPUT, plant_file_name(HLS)),
    Trick("playlist-file-url", EXIT_INPUT, plant_file_name(HLS, prefix="file://")),
    Trick("playlist-http", EXIT_INPUT, plant_address(HLS)),
    Trick("playlist-own-name", EXIT_INPUT, plant_file_name(HLS, "in.m3u8")),
    Trick("playlist-live", EXIT_INPUT, plant_file_name(ONE_SEGMENT, "in.ts")),
    Trick("playlist-key", EXIT_INPUT, plant_address(HLS_KEY)),
    Trick("playlist-map", EXIT_INPUT, plant_file_name(HLS_MAP, "in.mkv")),
    Trick("concat-file", EXIT_INPUT, plant_file_name(CONCAT)),
    Trick("concat-http", EXIT_INPUT, plant_address(CONCAT, "in.webm")),
    Trick("dash-file", EXIT_INPUT, plant_file_name(DASH, prefix="file://")),
    Trick("dash-http", EXIT_INPUT, plant_address(DASH, "in.mpd")),
    Trick("sdp", EXIT_INPUT, plant_address(SDP)),
    Trick("smil", EXIT_INPUT, plant_address(SMIL)),
    Trick("svg-movie", EXIT_INPUT, plant_file_name(SVG, prefix="file://")),
    Trick("svg-picture", EXIT_INPUT, plant_address(SVG, "in.png")),
    Trick("svg-own-name", EXIT_INPUT, plant_file_name(SVG, "in.svg", prefix="file://")),
    Trick("postscript-picture", EXIT_INPUT, plant_postscript),
    Trick("magick-picture", EXIT_INPUT, plant_address(MAGICK, "in.jpg")),
    Trick("vapoursynth", EXIT_INPUT, plant_script),
    Trick("movie-elsewhere", EXIT_INPUT, plant_movie),
    Trick("sequence-elsewhere", EXIT_USAGE, plant_sequence),
    Trick("word-concat", EXIT_INPUT, plant_command("concat:{}|{}")),
    Trick("word-subfile", EXIT_INPUT, plant_command("subfile,,start,0,end,0,,:{}")),
    Trick("word-async", EXIT_INPUT, plant_command("async:file:{}")),
    Trick("word-device", EXIT_INPUT, plant_command("lavfi:movie={}")),
)
"""Every trick that a source can try."""
