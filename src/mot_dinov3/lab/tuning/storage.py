"""Where the trials of a search are kept: in memory, or in an SQLite file that goes on later."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.lab.tuning.engine import load_optuna

if TYPE_CHECKING:
    import optuna

MAGIC = b"SQLite format 3\x00"
PURPOSE, NAME = "purpose", "tune"


@contextmanager
def open_study(path: Path | None, purpose: Mapping[str, Any]) -> Iterator[optuna.Study]:
    """A new study, or the one that the file holds.

    Args:
        path: an SQLite file in a directory that exists, None to keep the study in memory.
        purpose: what is searched, and on what: topic -> plain value.

    Raises:
        InputError: the file is no study.
        UsageError: it holds another search; says what sets it apart.
    """
    optuna = load_optuna()
    if path is None:
        yield _opened(optuna.storages.InMemoryStorage(), purpose)
        return
    from sqlalchemy.exc import SQLAlchemyError

    storage = None
    try:
        _require_sqlite(path)
        engine = {"creator": lambda: _connected(path)}
        storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=engine)
        study = _opened(storage, purpose)
    except (SQLAlchemyError, OSError, RuntimeError, optuna.exceptions.OptunaError,
            json.JSONDecodeError) as error:  # fmt: skip
        _close(storage)
        raise InputError(
            f"'{path}' is no study of tune: {str(error).splitlines()[0][:120]}.",
            fix="Give --study another name.",
        ) from error
    except UsageError as error:
        _close(storage)
        raise UsageError(f"'{path}' {error.what}", fix=error.fix) from None
    try:
        yield study
    finally:
        _close(storage)


def _connected(path: Path) -> sqlite3.Connection:
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
    """Refuse to let SQLite loose on a file that is none of its own."""
    if path.exists() and path.stat().st_size:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise RuntimeError("it is not an SQLite file")


def _opened(storage: Any, purpose: Mapping[str, Any]) -> optuna.Study:  # noqa: ANN401 - as above
    study: optuna.Study = load_optuna().create_study(
        direction="maximize", storage=storage, study_name=NAME, load_if_exists=True
    )
    known = study.user_attrs.get(PURPOSE)
    if known is None:
        study.set_user_attr(PURPOSE, json.dumps(purpose, sort_keys=True))
    else:
        _require_same(json.loads(known), json.loads(json.dumps(purpose)))
    return study


def _require_same(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    other = [topic for topic in sorted({*kept, *wanted}) if kept.get(topic) != wanted.get(topic)]
    if other:
        raise UsageError(
            f"holds another search: not the same {', '.join(other)}.",
            fix="Give the same flags as before, or another --study FILE.",
        )
