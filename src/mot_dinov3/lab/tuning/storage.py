"""The trials of a search: in memory, or in an SQLite file that a later search continues."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3 import __version__
from mot_dinov3.config.flat import as_dict
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.lab.recordings.recording import Recording
from mot_dinov3.lab.tuning.engine import load_optuna
from mot_dinov3.lab.tuning.objective import Objective
from mot_dinov3.lab.tuning.report import list_replayed_keys
from mot_dinov3.lab.tuning.space import Space
from mot_dinov3.runtime.opening import is_regular, open_regular

if TYPE_CHECKING:
    import optuna

MAGIC = b"SQLite format 3\x00"
PURPOSE, NAME = "purpose", "tune"


@contextmanager
def open_study(path: Path | None, purpose: Mapping[str, Any]) -> Iterator[optuna.Study]:
    """Open a new study, or the one that the file holds.

    Args:
        path: an SQLite file in a directory that exists, None to keep the study in memory.
        purpose: what is searched, and on what: topic -> plain value.

    Raises:
        InputError: the file is not a study.
        UsageError: it holds another search; says what sets it apart.
    """
    optuna = load_optuna()
    if path is None:
        yield _load_study(optuna.storages.InMemoryStorage(), purpose)
        return
    from sqlalchemy.exc import SQLAlchemyError

    storage = None
    try:
        _require_sqlite(path)
        engine = {"creator": lambda: _connect(path)}
        storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=engine)
        study = _load_study(storage, purpose)
    except (
        SQLAlchemyError,
        OSError,
        RuntimeError,
        optuna.exceptions.OptunaError,
        json.JSONDecodeError,
    ) as error:
        _close(storage)
        raise InputError(
            f"'{path}' is not a study of tune: {str(error).splitlines()[0][:120]}.",
            fix="Give --study another name.",
        ) from error
    except UsageError as error:
        _close(storage)
        raise UsageError(f"'{path}' {error.what}", fix=error.fix) from None
    try:
        yield study
    finally:
        _close(storage)


def _connect(path: Path) -> sqlite3.Connection:
    """A connection that leaves it to the system when the disk is written.

    A killed run loses nothing by that; after a power cut the last trials may be missing.
    """
    connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
    connection.execute("PRAGMA synchronous=OFF").close()
    return connection


def _close(storage: Any) -> None:  # noqa: ANN401 - optuna's, or None
    if storage is not None:
        storage.remove_session()
        storage.engine.dispose()


def _require_sqlite(path: Path) -> None:
    """Refuse to let SQLite write into a file that is not an SQLite file."""
    if path.exists() and not is_regular(path):
        raise RuntimeError("it is not a regular file")
    if path.exists() and path.stat().st_size:
        with open_regular(path) as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise RuntimeError("it is not an SQLite file")


def _load_study(storage: Any, purpose: Mapping[str, Any]) -> optuna.Study:  # noqa: ANN401 - as above
    study: optuna.Study = load_optuna().create_study(
        direction="maximize", storage=storage, study_name=NAME, load_if_exists=True
    )
    known = study.user_attrs.get(PURPOSE)
    if known is None:
        study.set_user_attr(PURPOSE, json.dumps(purpose, sort_keys=True))
    else:
        _require_same(json.loads(known), json.loads(json.dumps(purpose)))
    return study


def _require_same(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    topics = sorted({*known, *wanted})
    other = [topic for topic in topics if known.get(topic) != wanted.get(topic)]
    if other:
        raise UsageError(
            f"holds another search: not the same {', '.join(other)}.",
            fix="Give the same flags as before, or another --study FILE.",
        )


def describe_purpose(
    recordings: Mapping[str, Recording], space: Space, objective: Objective, seed: int
) -> dict[str, Any]:
    """Collect everything that decides which trials are made: topic -> plain value.

    Two searches of the same purpose make the same trials.
    """
    start = as_dict(space.base)
    return {
        "recordings (--cache, --held-out)": {
            name: [
                recording.origin.content,
                asdict(recording.setup)["settings"],
                recording.repeated,
                recording.setup.detector_weights,
                recording.setup.embedder_weights,
            ]
            for name, recording in recordings.items()
        },
        "settings to search (--tune)": {
            key: [item.low, item.high, item.digits] for key, item in space.settings.items()
        },
        "objective": asdict(objective),
        "start (flags, --config)": {key: start[key] for key in list_replayed_keys()},
        "seed": seed,
        "version": __version__,
    }
