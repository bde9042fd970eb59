"""The cache of exported networks: folders that are complete, or not there at all.

An entry is a folder with files and a manifest of their checksums. It is made under a temporary
name beside its final one and renamed when it is whole, so a reader never sees half of it and two
processes that make the same entry at once both end up with one of the two.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mot_dinov3.config import DeviceConfig
from mot_dinov3.errors import InputError, reason_of
from mot_dinov3.perception.backends.choice import INT8, PACKAGES, Choice
from mot_dinov3.perception.backends.digest import file_digest
from mot_dinov3.runtime.compat import cache_dir

logger = logging.getLogger("mot_dinov3")

LAYOUT = 3
"""Incremented when the stored files, or the way of exporting them, change."""
MANIFEST = "mot_dinov3-export.json"
"""No other program has a file of that name, so nothing of theirs is ever swept up."""
BUILDING = ".building-"
ABANDONED_S = 24 * 3600.0
"""A folder under construction that is older was left by a process that died."""
FORGOTTEN_S = 60 * 24 * 3600.0
"""An entry that was not used for so long is removed when another one is made."""


@dataclass(frozen=True, slots=True)
class ExportKey:
    """What an export depends on; another value of any of these is another export.

    Attributes:
        name: the model as people know it, for the folder's name.
        weights: fingerprint of the weights, see `digest.weights_digest`.
        choice: backend and precision. bf16 is computed from float32 files, so the two share one.
        size: height and width of the input in pixels; (0, 0) where both are open.
        variant: anything else that changes the exported file, such as "batch 8" or "neck".
        exporters: packages beside the backend's own that take part in the export.
    """

    name: str
    weights: str
    choice: Choice
    size: tuple[int, int]
    variant: str = ""
    exporters: tuple[str, ...] = ()

    @property
    def stored(self) -> str:
        """The precision of the numbers in the file."""
        return INT8 if self.choice.precision == INT8 else "fp32"

    @property
    def folder(self) -> str:
        """A name for the entry: readable, and different for every key."""
        height, width = self.size
        backend = self.choice.file_format
        facts = asdict(self) | {"choice": [backend, self.stored]}
        start = f"{self.name}-{height}x{width}-{backend}-{self.stored}"
        return entry_name(start, facts, (*PACKAGES[backend], *self.exporters))


def entry_name(start: str, facts: Mapping[str, object], packages: Iterable[str]) -> str:
    """A folder's name: a readable start, and a mark that depends on everything else.

    Args:
        start: what people should recognise; odd letters are replaced.
        facts: what the entry was made from, such as the fingerprint of weights.
        packages: those whose versions matter.
    """
    versions = {package: _version(package) for package in packages}
    all_facts = {"facts": dict(facts), "versions": versions, "layout": LAYOUT}
    mark = hashlib.sha256(json.dumps(all_facts, sort_keys=True).encode()).hexdigest()[:16]
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in start)
    return f"{name[:80]}-{mark}"


def export_place(config: DeviceConfig) -> Path:
    """Where exports are kept: `--export-cache`, else a folder of the user's cache."""
    if config.export_cache:
        return Path(config.export_cache).expanduser()
    return cache_dir() / "exports"


@contextlib.contextmanager
def open_entry(folder: str, fill: Callable[[Path], None], place: Path) -> Iterator[Path]:
    """Yield a folder that `fill` has filled now or in an earlier run.

    Where nothing can be written it is filled in a temporary place that is gone afterwards, and
    a warning says so.

    Args:
        folder: name of the entry.
        fill: writes the entry's files into the empty folder it is given.
        place: directory of all entries; made when missing.

    Raises:
        Exception: as `fill` does; then nothing is kept.
    """
    final = place / folder
    if not is_whole(final):
        try:
            _make(final, fill)
        except OSError as error:
            _warn_that_nothing_is_kept(place, reason_of(error))
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
                fill(Path(temporary))
                yield Path(temporary)
            return
    with contextlib.suppress(OSError):  # a place that is only read serves as well
        (final / MANIFEST).touch()
    yield final


@functools.cache
def _warn_that_nothing_is_kept(place: Path, why: str) -> None:
    """Say it once in a process: it is the same for the next model."""
    logger.warning("Exports cannot be kept in '%s' (%s): they serve this run only.", place, why)


def is_whole(folder: Path) -> bool:
    """Whether every file of an entry is there and is what was written."""
    try:
        listed: dict[str, str] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return bool(listed) and all(
            file_digest(folder / name) == digest for name, digest in listed.items()
        )
    except (OSError, ValueError, AttributeError, InputError):
        return False


def _make(final: Path, fill: Callable[[Path], None]) -> None:
    """Build an entry beside its final place and move it there.

    Raises:
        OSError: the place cannot be written to.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    _sweep(final.parent)
    building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=final.parent))
    try:
        fill(building)
        files = sorted(path for path in building.rglob("*") if path.is_file())
        listed = {path.relative_to(building).as_posix(): file_digest(path) for path in files}
        (building / MANIFEST).write_text(json.dumps(listed, indent=1), encoding="utf-8")
        _publish(building, final)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _publish(building: Path, final: Path) -> None:
    """Give a finished folder its name, unless another process was first."""
    if final.exists() and not is_whole(final):
        logger.warning("The export '%s' is damaged and is made again.", final.name)
        broken = Path(tempfile.mkdtemp(prefix=BUILDING, dir=final.parent))
        final.rename(broken / "broken")
        shutil.rmtree(broken, ignore_errors=True)
    try:
        building.rename(final)
    except OSError:
        if not is_whole(final):
            raise


def _sweep(place: Path) -> None:
    """Remove entries that processes left half done when they died, and those long unused."""
    old = [path for path in place.glob(f"{BUILDING}*") if _age_s(path) > ABANDONED_S]
    old += [path.parent for path in place.glob(f"*/{MANIFEST}") if _age_s(path) > FORGOTTEN_S]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:  # another process has removed it
        return 0.0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
