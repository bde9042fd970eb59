"""Tokens and passwords planted in every place that may hold one: none of them comes out again."""

from __future__ import annotations

import base64
import re
import shlex
import socket
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event, Thread
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np

from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.clips import ClipKind, make_clip
from mot_dinov3.lab.selftest.fake_hub import FakeHub, run_hub
from mot_dinov3.lab.selftest.plants import PLANTS, Plant
from mot_dinov3.lab.selftest.program import ProcessResult, ProcessSetup, end, run, start, tail
from mot_dinov3.lab.selftest.scenes import LIGHT, SelftestScene, draw_scene

FRAMES = 40
SILENT_S = 8.0
"""How long a stream says nothing after its last frame."""


def measure_secrets(context: MeasureContext) -> MeasureResult:
    """Plant a secret, run, and search everything that was said or written for it."""
    scene = draw_scene(context.directory / "scene", FRAMES)
    stream = context.directory / "live.ts"
    make_clip(stream, ClipKind("live.ts"), FRAMES, (128, 96))
    check = partial(check_plant, context, scene, stream)
    cases = [
        SelftestCase(plant.name, partial(check, plant)) for plant in context.choose_cases(PLANTS)
    ]
    return run_cases(context, cases)


def check_plant(
    context: MeasureContext, scene: SelftestScene, stream: Path, plant: Plant, directory: Path
) -> None:
    """Run with one secret.

    Raises:
        BrokenPromiseError: it came out, or the run did not get as far as it was meant to.
    """
    secret = invent_secret(context.create_rng(f"secret {plant.name}"), plant.token)
    with run_hub() as hub, play_stream(stream) as live:
        let_hub_answer(hub, plant.said.format(secret=secret))
        known = {"secret": secret, "live": live, "hub": hub.url, **quote_words(scene)}
        for name, text in plant.files.items():
            (directory / name).write_text(fill(text, known), encoding="utf-8")
        variables = {name: fill(text, known) for name, text in plant.variables.items()}
        own = {"HF_HOME": "hf", "XDG_CACHE_HOME": "cache"}
        words = shlex.split(fill(plant.words, known))
        begin = watch if "--serve" in words else run
        ended = begin(context.program, words, directory, ProcessSetup({**own, **variables}))
    expect(ended.code == plant.code, f"exit code {ended.code}, not {plant.code}: {tail(ended.err)}")
    for where, text in collect_texts(directory, ended, plant.files):
        for form in forms_of(secret):
            expect(form not in text, f"the secret is in {where}: {quote_around(text, form)}")


def watch(
    program: Sequence[str], words: Sequence[object], directory: Path, around: ProcessSetup
) -> ProcessResult:
    """Run, and read the page on which the run is shown; what it holds is in `Ended.out`.

    Raises:
        BrokenPromiseError: no page is served.
    """
    process = start(program, words, directory, around)
    said, page = "", ""
    for line in process.stderr or ():
        said += line
        if found := re.search(r"watch it at (http://\S+)", line):
            for place in ("", "state"):
                with urlopen(found[1] + place, timeout=10) as answer:
                    page += answer.read().decode("utf-8", "replace")
            break
    ended = end(process)
    expect(page, f"no page is served: {tail(said + ended.err)}")
    return replace(ended, out=ended.out + page, err=said + ended.err)


def invent_secret(rng: np.random.Generator, token: bool) -> str:
    """Invent a secret that nothing else contains."""
    letters = rng.choice(list(string.ascii_letters), 30 if token else 14)
    return f"hf_{''.join(letters)}" if token else "".join(letters)


def let_hub_answer(hub: FakeHub, said: str) -> None:
    """Let the hub answer with a message of its own."""
    if said.startswith("gate"):
        hub.gate("acme/vit", said)
    elif said:
        hub.answer("acme/vit", 401, "", said)


def quote_words(scene: SelftestScene) -> Mapping[str, str]:
    """Words for a scene, quoted for a shell."""
    clip, boxes = shlex.quote(str(scene.video)), shlex.quote(f"mot:{scene.boxes}")
    track = f"--source {clip} --det {boxes} {shlex.join(LIGHT)}"
    return {"clip": clip, "boxes": boxes, "track": track}


def fill(text: str, known: Mapping[str, str]) -> str:
    """Fill in every known `{name}` of a text; other braces stay as they are."""
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def collect_texts(
    directory: Path, ended: ProcessResult, planted: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Collect every text that was said or written, and where."""
    yield "standard output", ended.out
    yield "standard error", ended.err
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if name not in planted:
            yield "the name of a file", name
            if path.is_file():
                yield name, path.read_bytes().decode("utf-8", "replace")


def forms_of(secret: str) -> tuple[str, ...]:
    """The secret, and how it looks in an address, in base64, and backwards."""
    return secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode(), secret[::-1]


def quote_around(text: str, form: str) -> str:
    """Quote what stands around a secret, itself left out."""
    before, _, after = text.partition(form)
    return " ".join(f"{before[-60:]}<...>{after[:30]}".split())


@contextmanager
def play_stream(clip: Path) -> Iterator[str]:
    """Serve a stream over HTTP, `HOST:PORT/live.ts`: the clip for every caller."""
    over = Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n"

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while not over.is_set():
                caller, _ = server.accept()
                with suppress(OSError), caller:
                    caller.recv(65536)
                    caller.sendall(head + clip.read_bytes())
                    over.wait(SILENT_S)

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=serve, args=(server,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}/live.ts"
        finally:
            over.set()
