"""Reads a command line as users of other trackers write it: words before flags, `key=value`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from glob import has_magic
from itertools import takewhile
from mimetypes import guess_type
from pathlib import Path

from mot_dinov3.commands.factory import COMMANDS, DEFAULT_COMMAND, RENAMED
from mot_dinov3.config import TrackConfig
from mot_dinov3.config.flat import flag_of, kinds_of
from mot_dinov3.config.habits import FLAGS, SENTENCES, SETTINGS, SEVERAL, WORDS
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.wording import program

PAIR = re.compile(r"([A-Za-z][\w-]*)=(.*)", re.S)
STDIN = "-"
MOST_HINTS = 4


def choose_command(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command of a command line, and its words; sources that stand alone get their flag.

    Raises:
        UnknownNameError: the first word is neither a command nor a source.
        UsageError: the words are those of another program; the message has ours.
    """
    first, rest = (words[0], list(words[1:])) if words else ("", [])
    if not words or is_flag(first) or is_source(first):
        return DEFAULT_COMMAND, name_sources(words)
    if first == DEFAULT_COMMAND:
        return DEFAULT_COMMAND, name_sources(rest)
    if first in COMMANDS or first in RENAMED:
        return first, rest
    _refuse_habit(words)
    raise UnknownNameError("command", first, COMMANDS)


def name_sources(words: Sequence[str]) -> list[str]:
    """The words of the main job with `--source` before sources that stand at the beginning.

    Raises:
        UsageError: a word before the first flag is a setting, not a source.
    """
    count = next((i for i, word in enumerate(words) if is_flag(word)), len(words))
    if any(_is_pair(word) for word in words[:count]):
        _refuse_habit(words)
    return [*(["--source"] if count else []), *words]


def is_flag(word: str) -> bool:
    """Whether a word begins with a dash and is not the name of the standard input."""
    return word.startswith("-") and word != STDIN


def is_source(word: str) -> bool:
    """Whether a first word can only be meant as a source; a command goes before a file."""
    if not word or word in COMMANDS or word in RENAMED or _is_pair(word):
        return False
    if (
        word == STDIN
        or (word.isascii() and word.isdecimal())
        or re.match(r"\w+:", word)
        or set(word) & {"/", "\\"}
    ):
        return True
    kind = (guess_type(word)[0] or "").partition("/")[0]
    return kind in ("video", "image") or has_magic(word) or _has_media_suffix(word)


def _has_media_suffix(word: str) -> bool:
    """Whether a word names something that is there, or ends as sources do."""
    try:
        if Path(word).expanduser().exists():
            return True
    except (OSError, ValueError, RuntimeError):
        return False
    from mot_dinov3.io.read.sources import VIDEO_SUFFIXES

    return Path(word).suffix.lower() in (*VIDEO_SUFFIXES, ".txt")


def _is_pair(word: str) -> bool:
    """Whether a word is a setting such as `conf=0.4`, here or elsewhere."""
    match = PAIR.fullmatch(word)
    return match is not None and bool(_ours(match[1]) or _name(match[1]) in {*SENTENCES, *IGNORED})


IGNORED = ("mode", "task", "verbose", "data", "stream_buffer", "visualize", "augment")
"""Settings of other programs that mean nothing here, and need no word."""


def _name(key: str) -> str:
    return key.lower().strip("-").replace("_", "-")


def _ours(key: str) -> str:
    """The flag here of a setting of this program or another one; empty for none."""
    name = _name(key)
    if name in SETTINGS:
        return SETTINGS[name]
    own = name.replace("-", "_") in kinds_of(TrackConfig)
    return flag_of(name) if own else FLAGS.get(name, "")


def refuse_settings(sources: Sequence[str]) -> None:
    """Refuse `conf=0.4` among sources, where it stands behind one.

    Raises:
        UsageError: it is a setting; the message has our words for it.
    """
    wrong = [word for word in sources if _is_pair(word) and not Path(word).exists()]
    if wrong:
        hints = [_sentence(word) or _hint_for_pair(word) for word in wrong]
        raise UsageError("Settings are written as flags here.", fix="\n".join(hints))


def _refuse_habit(words: Sequence[str]) -> None:
    """Raise a sentence with the right words where the first ones are those of another program."""
    known = words[0].lower() in WORDS
    if not known and not any(map(_is_pair, words)):
        return
    instead = WORDS.get(words[0].lower(), "")
    own = [instead] if instead else []
    more = [text for word in words if (text := _sentence(word))]
    line = shlex.join([*own, *(part for word in words[known:] for part in _translate(word))])
    what = f"'{words[0]}' is not a command" if known else "Settings are written as flags here"
    fix = "\n".join([f"Write: {program()} {line}".rstrip(), *more[:MOST_HINTS]])
    raise UsageError(f"{what}.", fix=fix)


def _translate(word: str) -> Iterator[str]:
    """The words here for one word of another program."""
    match = PAIR.fullmatch(word)
    if match is None:
        yield from [] if word.lower() in (DEFAULT_COMMAND, *WORDS) else [word]
        return
    flag, value = _ours(match[1]), match[2].strip("[]() ").replace(" ", "")
    switch = bool(flag) and kinds_of(TrackConfig)[flag[2:].replace("-", "_")] is bool
    if not flag or value.lower() in ("none", "false", "") or (value == "True" and not switch):
        return
    yield flag
    if not switch:
        yield _longest(value.split(",")) if flag == "--imgsz" else value


def _sentence(word: str) -> str:
    key = PAIR.fullmatch(word)
    return SENTENCES.get(_name(key[1]), "") if key else ""


def _longest(values: Sequence[str]) -> str:
    return max(values, key=lambda text: int(text) if text.isdecimal() else 0)


def hints_for(message: str, known: Sequence[str], words: Sequence[str]) -> list[str]:
    """What is meant by the words that a parser refuses, a sentence each.

    Args:
        message: what `argparse` says.
        known: the flags of the parser.
        words: the whole command line.
    """
    lacking = re.match(r"argument (--[\w-]+)(?:/-\w)?: expected", message)
    if lacking:
        text = SENTENCES.get(_name(lacking[1]), "")
        return [text] if text else []
    required = re.match(r"the following arguments are required: (--[\w-]+)", message)
    if required and words and not is_flag(words[0]):
        return [f"Write {required[1]} {shlex.quote(words[0])} in place of {words[0]}."]
    pair = re.match(r"argument (--[\w-]+): invalid int value: '(\d+(?:[,x]\d+)+)'", message)
    if pair and pair[1] in SEVERAL and pair[1] in known:
        values = re.split("[,x]", pair[2])
        return [f"{_say_one(pair[1], values)}."]
    refused = message.partition("unrecognized arguments: ")[2].split()
    hints, unknown = [], False
    for word in refused:  # the words behind an unknown flag are its values
        unknown = is_flag(word) or (unknown and not PAIR.fullmatch(word))
        if is_flag(word):
            hints.append(_hint_for_flag(word, known))
        elif not unknown:
            hints.append(_hint_for_word(word, known, words))
    return list(dict.fromkeys(filter(None, hints)))[:MOST_HINTS]


def _hint_for_flag(word: str, known: Sequence[str]) -> str:
    old = word.partition("=")[0]
    flag = FLAGS.get(_name(old), "")
    return f"Write {flag} in place of {old}." if flag in known else SENTENCES.get(_name(old), "")


def _hint_for_pair(word: str) -> str:
    return f"Write {shlex.join(_translate(word))} in place of {word}."


def _hint_for_word(word: str, known: Sequence[str], words: Sequence[str]) -> str:
    if _is_pair(word) and _ours(word.partition("=")[0]) in known:
        return _hint_for_pair(word)
    place = words.index(word) if word in words else 0
    flags = [index for index in range(place) if is_flag(words[index])]
    before = words[flags[-1]] if flags else ""
    if before in SEVERAL and before in known:
        values = list(takewhile(lambda one: not is_flag(one), words[flags[-1] + 1 :]))
        return f"{_say_one(before, values)}."
    return f"Put it first, or write --source {word}." if "--source" in known else ""


def _say_one(flag: str, values: Sequence[str]) -> str:
    """How several values for a flag of one value are written here."""
    commas, longest = ",".join(values), _longest(values)
    return SEVERAL[flag].format(commas=commas, longest=longest, first=values[0])
