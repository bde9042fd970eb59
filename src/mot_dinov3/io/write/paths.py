"""Where a result may be written, and how it gets its final name."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from mot_dinov3.errors import OutputError, cannot_write

MOST_PARTIALS = 1000
"""Unfinished outputs that may stand beside one name."""


def check_output(path: Path, source_path: Path | None, no_clobber: bool) -> None:
    """Refuse, before any work is done, an output that cannot or must not be written.

    Args:
        path: where the result will be.
        source_path: the file that is read, if it is one; the output may not be it, not even
            through a link.
        no_clobber: refuse to replace anything.

    Raises:
        OutputError: it says which of these it is.
    """
    require_other(path, () if source_path is None else (source_path,))
    try:
        _refuse_foreign_link(path)
        if path.is_dir():
            raise OutputError(
                f"The output '{path}' is a directory.", fix=f"Give a file: {path / 'tracked.mp4'}"
            )
        if no_clobber and (path.exists() or path.is_symlink()):
            raise OutputError(
                f"'{path}' exists already, and --no-clobber is set.",
                fix="Give another name, or leave --no-clobber out to replace it.",
            )
        _check_directory(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def require_other(path: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is one of the files that are read, be it through a link.

    Raises:
        OutputError: it is.
    """
    try:
        if path.exists() and any(other.exists() and path.samefile(other) for other in inputs):
            raise OutputError(
                f"The output '{path}' is the input itself.", fix="Give it another name."
            )
    except OSError as error:
        raise cannot_write(path, error) from error


def check_output_directory(path: Path) -> None:
    """Refuse, before any work is done, a directory that is not a new place for files.

    Raises:
        OutputError: it is a file, holds something already, or cannot be made.
    """
    try:
        _refuse_foreign_link(path)
        if path.is_dir():
            if any(path.iterdir()):
                raise OutputError(
                    f"The directory '{path}' is not empty, and nothing in it may be lost.",
                    fix="Give a new one, or empty it.",
                )
        elif path.exists() or path.is_symlink():
            raise OutputError(f"'{path}' is not a directory.", fix="Give a new directory.")
        _check_directory(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def _refuse_foreign_link(path: Path) -> None:
    """Refuse a link that another user put into a directory where everyone may.

    Links are followed, so such a link could make this user replace any file of theirs. Linux has
    the same rule for links that it follows itself (sysctl `fs.protected_symlinks`).
    """
    if not (path.is_symlink() and hasattr(os, "geteuid")):
        return
    link, directory = path.lstat(), path.parent.stat()
    if directory.st_mode & stat.S_IWOTH and link.st_uid not in (os.geteuid(), directory.st_uid):
        raise OutputError(
            f"'{path}' is a link that another user put there, into a directory that is open to "
            "all.",
            fix="Name a file in a directory of your own.",
        )


def _check_directory(path: Path) -> None:
    """Check that the nearest path that exists is a directory and takes new files."""
    parent = Path(os.path.realpath(path)).parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        raise OutputError(
            f"'{path}' cannot be created: '{parent}' is not a directory.", fix="Change the path."
        )
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"'{path}' cannot be created: no permission to write in '{parent}'.",
            fix="Choose another directory, or change its permissions.",
        )


def refuse_special(path: Path) -> None:
    """Refuse an output that would take the place of a device, a pipe or a socket.

    The administrator may replace `/dev/null`, be it through a link, and few programs go on then.

    Raises:
        OutputError: it is one, or a link to one.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OutputError(
            f"'{path}' is not a regular file, and nothing may take its place.",
            fix="Name a file; to have no video give --no-video.",
        )


def reserve_partial(path: Path) -> Path:
    """Create the empty file in which `path` grows; never one that exists.

    It keeps the suffix, `tracked.mp4` grows as `tracked.partial.mp4`, so that what a killed run
    leaves behind opens in a player.

    Raises:
        OutputError: the directory cannot be made or takes no file, or `path` is not a file.
    """
    refuse_special(path)
    return _reserve(path, lambda partial: partial.touch(exist_ok=False))


def reserve_partial_directory(path: Path) -> Path:
    """The same for a directory: `crops` grows as `crops.partial`.

    Raises:
        OutputError: it cannot be made.
    """
    return _reserve(path, lambda partial: partial.mkdir())


def _reserve(path: Path, make: Callable[[Path], None]) -> Path:
    final = Path(os.path.realpath(path))
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, MOST_PARTIALS):
            tail = "" if number == 1 else f"-{number}"
            partial = final.with_name(f"{final.stem}.partial{tail}{final.suffix}")
            try:
                make(partial)
            except FileExistsError:
                continue
            return partial
    except OSError as error:
        raise cannot_write(path, error) from error
    raise OutputError(
        f"Too many unfinished outputs beside '{path}'.", fix="Delete those named '.partial'."
    )


def is_partial_name(path: Path, output: Path) -> bool:
    """Whether `path` is a name that `reserve_partial` gives to `output`; both resolved."""
    tail = path.name.removeprefix(f"{output.stem}.partial").removesuffix(output.suffix)
    numbered = not tail or (tail[0] == "-" and tail[1:].isdigit())
    named = path.name == f"{output.stem}.partial{tail}{output.suffix}"
    return path.parent == output.parent and named and numbered


def cannot_finish(partial: Path, path: Path, error: OSError) -> OutputError:
    """The error for an output that was written, but cannot get its final name.

    Args:
        partial: where it was written.
        path: the final name.
        error: the reason of the system.
    """
    if not isinstance(error, FileNotFoundError):
        return cannot_write(path, error)
    return OutputError(
        f"'{path}' cannot be finished: '{partial}' was moved or removed while it was written.",
        fix="Leave the directory of an output where it is until the run ends. What was moved is "
        f"whole up to its end: look for '{partial.name}'.",
    )


def publish(partial: Path, path: Path, replace: bool) -> None:
    """Sync a finished file and give it its final name, in one step.

    Raises:
        OutputError: the disk refused, the name was taken meanwhile and `replace` is off, or by
            something that is not a file.
    """
    refuse_special(path)
    final = Path(os.path.realpath(path))
    try:
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        if not replace and final.exists():
            raise OutputError(
                f"'{path}' appeared while it was being made, and --no-clobber is set.",
                fix=f"The result is in '{partial}'.",
            )
        partial.replace(final)
    except OSError as error:
        raise cannot_finish(partial, path, error) from error
