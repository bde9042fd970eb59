"""The access token of a `.env` file, and nothing else of it.

The file comes with the directory of the videos, and may be anyone's: a variable of it could name
code to run or the server that a token is sent to.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import mot_dinov3
from mot_dinov3.runtime import limits
from mot_dinov3.runtime.notices import NOTICE
from mot_dinov3.runtime.opening import decode_text, read_regular

ENV_FILE = ".env"
TOKENS = ("HF_TOKEN", "HUGGINGFACE_HUB_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Variables that may hold the access token, the present name first."""
MOST_LETTERS = 1000
"""A longer value is not a token."""
MOST_NAMES = 8
"""More ignored variables are counted rather than named."""
OURS = ("MOT_", "HF_")
"""Beginnings of names that someone may have meant for this program."""

log = logging.getLogger("mot_dinov3")


def find_token(directory: Path | None = None) -> str:
    """The access token of the `.env` in a directory, else of the one beside the program; or "".

    Args:
        directory: where to look first; the working directory when left out.
    """
    files = [Path(directory or "") / ENV_FILE]
    if program := program_directory():
        files.append(program / ENV_FILE)
    for path in files if not _is_same(files) else files[:1]:
        values = read_env_file(path)
        token = next((values[name] for name in TOKENS if _is_token(values.get(name, ""))), "")
        if token:
            return token
    return ""


def program_directory() -> Path | None:
    """Where `cli.py` is, in a checkout; None for an installed package."""
    checkout = Path(mot_dinov3.__file__).resolve().parent.parent.parent
    return checkout if (checkout / "cli.py").is_file() else None


def _is_same(files: Sequence[Path]) -> bool:
    with suppress(OSError):
        return len(files) == 2 and files[0].samefile(files[1])
    return False


def read_env_file(path: Path) -> Mapping[str, str]:
    """Every variable of a `.env` file; empty where there is none, or none that can be read.

    Variables other than those of `TOKENS` are named in the log, once a run.
    """
    try:
        data = read_regular(path, limits.ENV_FILE.most_bytes)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _say_once(logging.WARNING, f"{path} is ignored: {getattr(error, 'strerror', '') or error}.")
        return {}
    from dotenv import dotenv_values

    text = decode_text(data, "replace").replace("\0", "\ufffd")
    found = dotenv_values(stream=io.StringIO(text), interpolate=False)
    _report_ignored(path, [name for name in found if name not in TOKENS])
    return {name: value for name, value in found.items() if value}


def _report_ignored(path: Path, names: Sequence[str]) -> None:
    plain = [name for name in names if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,60}", name)]
    if not plain:
        return
    shown = ", ".join(plain[:MOST_NAMES])
    more = f" and {len(plain) - MOST_NAMES} more" if len(plain) > MOST_NAMES else ""
    _say_once(
        NOTICE if any(name.startswith(OURS) for name in plain) else logging.INFO,
        f"{path} is read for the access token ({TOKENS[0]}) alone; ignored: {shown}{more}.",
    )


@cache
def _say_once(level: int, line: str) -> None:
    log.log(level, "%s", line)


def _is_token(value: str) -> bool:
    """Whether a value can stand in a header: one line of plain letters."""
    return 0 < len(value) <= MOST_LETTERS and value.isascii() and value.isprintable()
