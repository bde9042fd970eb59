"""From the paths that a user gives to sequences that can be scored."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mot_dinov3.errors import InputError, UsageError, find_path
from mot_dinov3.evaluation.preprocessing import (
    BENCHMARKS,
    MOST_CLASS,
    PEDESTRIAN,
    RULES,
    ScoredSequence,
    choose_rule,
)
from mot_dinov3.io.formats.identities import read_identities
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.io.read.seqinfo import SEQUENCE_FILE, read_seqinfo

TRUTH_FILE = Path("gt") / "gt.txt"
AUTO = "auto"
FIRST_HALF, SECOND_HALF = "first-half", "second-half"
QUIET_SHARE = 0.05
LEAST_QUIET, MOST_QUIET = 3, 30
"""A result may begin late or end early by that share of the frames, within these numbers of them:
a tracker confirms an object a few frames late, and may miss the last one."""


@dataclass(frozen=True, slots=True)
class Part:
    """Frames `first` to `last`, both included, counted from 1 as in MOT files."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be compared, and how.

    Attributes:
        truth: a ground truth file, a sequence directory, or a directory of such.
        result: a result file, or a directory of files SEQUENCE.txt.
        rule: one of `preprocessing.RULES`, or `AUTO` to decide by each ground truth.
        frames: the part to score, see `parse_part`.
        renumbered: results count from 1 where that part begins, not where the sequence does.
        allow_missing: leave sequences without a result out, where it is an error otherwise.
        min_visibility: see `ScoredSequence`.
    """

    truth: Path
    result: Path
    rule: str = AUTO
    frames: str = ""
    renumbered: bool = False
    allow_missing: bool = False
    min_visibility: float = 0.0

    def __post_init__(self) -> None:
        if self.rule not in (AUTO, *RULES):
            raise UsageError(
                f"--preprocess cannot be '{self.rule}'.",
                fix=f"Give one of: {', '.join((AUTO, *RULES))}",
            )
        if not 0 <= self.min_visibility <= 1:
            raise UsageError(
                f"--min-visibility must be between 0 and 1, got {self.min_visibility}.",
                fix="Give another value.",
            )
        if self.renumbered and not self.frames:
            raise UsageError(
                "--renumbered needs to know the part that results were made of.",
                fix="Add --frames FIRST:LAST or --frames second-half.",
            )


@dataclass(slots=True)
class Loaded:
    """What was found.

    Attributes:
        cases: one per sequence, in the order of their names.
        parts: case name -> the frames that are scored.
        left_out: sequences without a result.
        extra: results without a ground truth.
        silent: sentences on results that begin late or end early, or are empty.
    """

    cases: list[ScoredSequence] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


def load(request: Request) -> Loaded:
    """Find, read and check both sides.

    Raises:
        InputError: something is missing or makes no sense; the file, and the line where there
            is one, are named.
        UsageError: a flag makes no sense.
    """
    out = Loaded()
    truths = _find_truths(request.truth)
    results = _find_results(request, truths, out)
    for name, file in results.items():
        case, part = _load_sequence(request, name, truths[name], file)
        out.cases.append(case)
        out.parts[name] = part
        out.silent += _describe_silence(case, part)
    return out


def _find_truths(path: Path) -> dict[str, Path]:
    """Sequence name -> ground truth file; a single one under the name of its sequence."""
    if not path.exists():
        raise InputError(f"--gt '{path}' does not exist.", fix=find_path(path))
    if not path.is_dir():
        inside = path.resolve().parts[-2:] == TRUTH_FILE.parts
        return {(path.resolve().parents[1].name if inside else path.stem): path}
    if (path / TRUTH_FILE).is_file():
        return {path.resolve().name: path / TRUTH_FILE}
    found = {d.name: d / TRUTH_FILE for d in sorted(path.iterdir()) if (d / TRUTH_FILE).is_file()}
    if not found:
        raise InputError(
            f"'{path}' holds no ground truth.",
            fix=f"It should have {path}/SEQUENCE/{TRUTH_FILE}; or give one file.",
        )
    return found


def _find_results(request: Request, truths: dict[str, Path], out: Loaded) -> dict[str, Path]:
    """Sequence name -> result file, for the sequences that have one."""
    path = request.result
    if not path.exists():
        raise InputError(f"--pred '{path}' does not exist.", fix=find_path(path))
    if path.is_file():
        return {_name_only_truth(truths, path): path}
    known = {file.resolve() for file in truths.values()}
    files = {
        file.stem: file
        for file in sorted(path.glob("*.txt"))
        if file.is_file() and file.resolve() not in known
    }
    found = {name: files[name] for name in truths if name in files}
    out.left_out = [name for name in truths if name not in files]
    out.extra = [name for name in files if name not in truths]
    if not found or (out.left_out and not request.allow_missing):
        raise _describe_missing(request, out, any_found=bool(found))
    return found


def _name_only_truth(truths: dict[str, Path], result: Path) -> str:
    """The name of the one sequence that a result file is of."""
    if len(truths) == 1:
        return next(iter(truths))
    if result.stem in truths:
        return result.stem
    raise InputError(
        f"'{result}' is one file, but there are {len(truths)} ground truths and none is called "
        f"'{result.stem}'.",
        fix="Give --gt one sequence too, or --pred a directory of files SEQUENCE.txt.",
    )


def _describe_missing(request: Request, sides: Loaded, *, any_found: bool) -> InputError:
    names = sides.left_out
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    if any_found:
        fix = "Make them, or score the others with --allow-missing."
    elif len(names) == 1 and sides.extra:
        fix = f"Name the file to score, such as --pred {request.result / sides.extra[0]}.txt"
    elif (request.result / "data").is_dir():
        fix = f"Did you mean --pred {request.result / 'data'}?"
    else:
        fix = f"Results are files such as {request.result / names[0]}.txt."
    return InputError(f"'{request.result}' has no result for {shown}.", fix=fix)


def _load_sequence(
    request: Request, name: str, truth_file: Path, file: Path
) -> tuple[ScoredSequence, Part]:
    frames, told = _read_length(truth_file)
    truth = read_identities(truth_file, frames, told)
    if not len(truth):
        raise InputError(f"'{truth_file}' holds no boxes.", fix="Give --gt a file with boxes.")
    if not frames:
        frames, told = int(truth.frame_index[-1]) + 1, f"the last of '{truth_file}'"
    part = parse_part(request.frames, frames, name)
    if request.renumbered:
        result = read_identities(file, len(part), f"frames {part.first} to {part.last} of {name}")
    else:
        result = read_identities(file, frames, told).cut(part.first - 1, part.last - 1)
    rule = choose_rule(name, truth) if request.rule == AUTO else request.rule
    if rule in BENCHMARKS:
        _check_classes(truth, truth_file, rule)
        _check_pedestrians(result, file, rule)
    truth = truth.cut(part.first - 1, part.last - 1)
    return ScoredSequence(name, truth, result, len(part), rule, request.min_visibility), part


def _read_length(truth_file: Path) -> tuple[int, str]:
    """How many frames the sequence of a ground truth has, 0 if not said, and where that is said."""
    for directory in (truth_file.parent.parent, truth_file.parent):
        if (directory / SEQUENCE_FILE).is_file():
            return read_seqinfo(directory).frames, f"seqLength of '{directory / SEQUENCE_FILE}'"
    return 0, ""


def _check_classes(truth: MotTable, file: Path, rule: str) -> None:
    wrong = (truth.class_id < 1) | (truth.class_id > MOST_CLASS)
    if wrong.any():
        raise InputError(
            f"'{file}' has boxes without one of the {MOST_CLASS} classes that --preprocess {rule} "
            f"goes by, such as in frame {truth.frame_index[wrong][0] + 1}.",
            fix="Give --preprocess none.",
        )


def _check_pedestrians(result: MotTable, file: Path, rule: str) -> None:
    """A result may name no classes; where it does, others than pedestrians are not judged."""
    other = result.class_id > PEDESTRIAN
    if other.any():
        raise InputError(
            f"'{file}' has boxes of class {result.class_id[other][0]}, but --preprocess {rule} "
            "scores pedestrians (class 1) only.",
            fix="Track with --classes person, or give --preprocess none.",
        )


def _describe_silence(case: ScoredSequence, part: Part) -> list[str]:
    """A sentence where a result covers less of the sequence than the ground truth, else none."""
    if not len(case.result):
        return [f"the result of {case.name} is empty: every object counts as missed"]
    first, last = int(case.result.frame_index[0]), int(case.result.frame_index[-1])
    boxes = case.truth.frame_index
    frames = part.last - part.first + 1
    quiet = min(max(round(QUIET_SHARE * frames), LEAST_QUIET), MOST_QUIET)
    late = len(boxes) > 0 and first > int(boxes[0]) + quiet
    early = len(boxes) > 0 and last < int(boxes[-1]) - quiet
    if not late and not early:
        return []
    lost = np.mean((boxes < first) | (boxes > last))
    offset = part.first
    return [
        f"the result of {case.name} covers only frames {first + offset} to {last + offset} of "
        f"{part.first} to {part.last}: {100 * lost:.0f} % of the true boxes lie outside and count "
        "as missed; a part is scored with --frames"
    ]


def parse_part(words: str, frames: int, name: str) -> Part:
    """Read what `--frames` means in a sequence of so many frames.

    Args:
        words: "" for all, "FIRST:LAST" (either may be left out), or the name of a half. The
            second half begins at frame `frames // 2 + 2`, the "val_half" of ByteTrack
            (https://arxiv.org/abs/2110.06864) and CenterTrack; the first is what comes before.
        frames: length of the sequence.
        name: how messages call the sequence.

    Raises:
        UsageError: the words are none of these.
        InputError: the sequence has no such frames.
    """
    middle = frames // 2 + 1
    if words == FIRST_HALF:
        return Part(1, middle)
    if words == SECOND_HALF:
        found = Part(middle + 1, frames)
    elif match := re.fullmatch(r"(\d{0,9}):(\d{0,9})", words or ":"):
        found = Part(int(match[1] or 1), int(match[2] or frames))
    else:
        raise UsageError(
            f"--frames cannot be '{words}'.",
            fix=f"Give FIRST:LAST (from 1), such as 301:600, or {FIRST_HALF} or {SECOND_HALF}.",
        )
    if not 1 <= found.first <= found.last <= frames:
        raise InputError(
            f"--frames asks for {found.first} to {found.last}, but '{name}' has frames 1 to "
            f"{frames}.",
            fix="Give a part that it has.",
        )
    return found
