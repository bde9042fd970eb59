"""Hostile surroundings: what strangers leave where a run reads, writes, listens or computes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

from mot_dinov3.errors import EXIT_BUG, EXIT_OUTPUT
from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import (
    BrokenPromiseError,
    CannotRunError,
    SelftestCase,
    expect,
    run_cases,
)
from mot_dinov3.lab.selftest.hostile_inputs import HOSTILE_INPUTS, HostileInput
from mot_dinov3.lab.selftest.program import (
    Process,
    ProcessResult,
    ProcessSetup,
    end,
    expect_code,
    expect_explained,
    run,
    start,
    tail,
)
from mot_dinov3.lab.selftest.scenes import SelftestScene, draw_scene
from mot_dinov3.lab.selftest.traps import set_traps

FRAMES, LONG_FRAMES = 12, 1500
MOST_SECONDS = 60.0
ENDS_IN_S = 15.0
"""How long a run may take to end after a signal, on a busy machine."""
STRANGERS = 80
ONLINE = ProcessSetup({"HF_HUB_OFFLINE": "0"})


def measure_hostile(context: MeasureContext) -> MeasureResult:
    """Meet every hostile input and moment, or a tenth of them."""
    scene = draw_scene(context.directory / "scene", FRAMES)
    long = draw_scene(context.directory / "long", LONG_FRAMES)
    cases = [
        *(SelftestCase(it.name, partial(check_input, context, scene, it)) for it in HOSTILE_INPUTS),
        *(SelftestCase(name, partial(check, context, long)) for name, check in MOMENTS.items()),
    ]
    return run_cases(context, cases if context.only else context.choose_cases(cases))


def check_input(
    context: MeasureContext, scene: SelftestScene, item: HostileInput, directory: Path
) -> None:
    """Run the command line where a stranger has been.

    Raises:
        BrokenPromiseError: it hangs, ends in an exception or with a wrong exit code, steers the
            terminal, runs code or calls an address.
    """
    with set_traps(directory, scene.video) as placed:
        shutil.copy(scene.video, placed.secret.with_name("clip.mp4"))
        words = [
            word.format(clip=scene.video, boxes=f"mot:{scene.boxes}") if "{" in word else word
            for word in item.plant(directory, placed)
        ]
        ended = run(context.program, words, directory, ONLINE)
    expect(ended.code in item.codes, f"exit code {ended.code}: {tail(ended.err)}")
    expect_calm(ended)
    expect(ended.seconds < MOST_SECONDS, f"it took {ended.seconds:.0f} s")


def expect_calm(ended: ProcessResult) -> None:
    """Go on only when nothing that was said steers a terminal, and no bug is reported.

    Raises:
        BrokenPromiseError: it is not so.
    """
    expect(ended.code != EXIT_BUG and "Traceback" not in ended.err, tail(ended.err))
    said = (ended.out + ended.err).replace("\n", "").replace("\t", "").replace("\r", "")
    steering = {letter for letter in said if not letter.isprintable()}
    expect(not steering, f"it steers the terminal: {sorted(map(repr, steering))}")


def check_removed(context: MeasureContext, scene: SelftestScene, directory: Path) -> None:
    """Remove the directory of some outputs while a run goes on."""
    outputs = ("--output", "o/o.mp4", "--save-csv", "o/o.csv", "--save-jsonl", "o.jsonl")
    process = start(context.program, scene.words(*outputs), directory)
    wait_until(lambda: (directory / "o" / "o.partial.csv").exists(), process)
    shutil.rmtree(directory / "o")
    ended = end(process)
    expect_code(ended, EXIT_OUTPUT)
    expect_explained(ended, "moved or removed")
    expect((directory / "o.jsonl").exists(), "the other output was not finished")


def check_loop(context: MeasureContext, scene: SelftestScene, directory: Path) -> None:
    """Interrupt a run whose network never answers."""
    write_endless_network(directory / "loop.onnx")
    words = [*scene.words()[:-1], "onnx", "--embed-model", "loop.onnx", "--backend", "onnx"]
    end_by_signal(start(context.program, [*words, "--no-video"], directory), signal.SIGINT)


def check_pipe(context: MeasureContext, scene: SelftestScene, directory: Path) -> None:
    """End a run that waits for the reader of a pipe, who never comes."""
    os.mkfifo(directory / "o.txt")
    words = scene.words("--no-video", "--save-mot", "o.txt")
    end_by_signal(start(context.program, words, directory), signal.SIGTERM)


def end_by_signal(process: Process, number: signal.Signals) -> None:
    """Let a process run into what never ends, and end it.

    Raises:
        BrokenPromiseError: it ends before, or not soon after the signal.
    """
    sleep(ENDS_IN_S)
    expect(process.poll() is None, "it did not even begin")
    began_s = monotonic()
    process.send_signal(number)
    ended = end(process)
    expect(monotonic() - began_s < ENDS_IN_S, f"{number.name} does not end it")
    expect_calm(ended)


def check_strangers(context: MeasureContext, scene: SelftestScene, directory: Path) -> None:
    """Ask for the page while a crowd without its secret holds connections open."""
    process = start(context.program, scene.words("--no-video", "--serve"), directory)
    with ExitStack() as stack:
        stack.callback(process.kill)
        address = urlsplit(read_address(process))
        for _ in range(STRANGERS):
            one = stack.enter_context(socket.create_connection((address.hostname, address.port)))
            with suppress(OSError):
                one.sendall(b"G")
        with socket.create_connection((address.hostname, address.port), timeout=10) as ours:
            ours.sendall(f"GET {address.path} HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n".encode())
            expect(b" 200 " in ours.recv(100), "the page is not answered")


def read_address(process: Process) -> str:
    """The address of the page, which a run prints first.

    Raises:
        BrokenPromiseError: it ends without one.
    """
    for line in process.stderr or ():
        if "http://" in line:
            return line.split()[-1]
    raise BrokenPromiseError("no address is shown")


def wait_until(ready: Callable[[], bool], process: Process) -> None:
    """Wait for something that a process does.

    Raises:
        BrokenPromiseError: it ends before.
    """
    while not ready():
        expect(process.poll() is None, "it ended too early")
        sleep(0.02)


def write_endless_network(path: Path) -> None:
    """Write an ONNX file whose answer waits for the end of a loop that has none.

    Raises:
        CannotRunError: the package is missing.
    """
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError as error:
        raise CannotRunError("no package 'onnx'") from error
    number, truth = TensorProto.FLOAT, TensorProto.BOOL
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Abs", ["v"], ["w"])],
        "body",
        [value("i", TensorProto.INT64, []), value("go", truth, []), value("v", number, None)],
        [value("on", truth, []), value("w", number, None)],
    )
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0),
            helper.make_node("Loop", ["", "true", "m"], ["y"], body=body),
        ],
        "endless",
        [value("x", number, ["n", 3, 64, 32])],
        [value("y", number, ["n", 3])],
        [helper.make_tensor("true", truth, [], [True])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)


MOMENTS = {
    "outputs-removed": check_removed,
    "network-endless": check_loop,
    "output-pipe": check_pipe,
    "page-strangers": check_strangers,
}
