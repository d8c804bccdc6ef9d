"""A copy of the database that is whole, and the way to put it back: the database is three files, not one.

What was written last stands in the write-ahead log beside the database, so copying `controller.db` alone gives an old
state or a torn one. And an old `controller.db` that is put beside a newer log is mixed with it by SQLite, in silence.
So both ways are commands: `--back-up FILE` works while the controller runs, `--put-back FILE` while it does not. A
power cut on the way leaves the old database or the new one: a start finishes what was begun.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol

NAME: Final = "controller.db"
_INCOMING: Final = f"{NAME}.incoming"
_BEFORE: Final = f"{NAME}.before"
_TABLE: Final = "alembic_version"
_WAIT_S: Final = 2.0


class BackupError(Exception):
    """It cannot be done; the message says why, and what to do."""


class Connection(Protocol):
    """What is asked of SQLite here."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any: ...

    def close(self) -> None: ...


Connect = Callable[[Path], Connection]


def _connect(path: Path) -> Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=_WAIT_S)


def back_up(data: Path, to: Path, *, connect: Connect = _connect) -> None:
    """Writes a whole copy of the database, while the controller runs or not; durable when it returns.

    Raises:
        BackupError: there is no database, it is damaged, or the copy cannot be written.
    """
    if not (data / NAME).exists():
        raise BackupError(f"There is no {data / NAME}.")
    part = to.with_name(f"{to.name}.part")
    try:
        part.unlink(missing_ok=True)
        with closing(connect(data / NAME)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        _check(part, connect)
        _sync(part)
        part.replace(to)
        _sync(to.parent)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"The database could not be copied: {error}") from error


def put_back(backup: Path, data: Path, *, connect: Connect = _connect) -> None:
    """Replaces the database; the former one stays as `controller.db.before`. Durable when it returns.

    Raises:
        BackupError: the copy is not whole, or the controller is running.
    """
    _check(backup, connect)
    _let_go(data / NAME, connect)
    part = data / f"{_INCOMING}.part"
    try:
        with backup.open("rb") as source, part.open("wb") as target:
            shutil.copyfileobj(source, target)
        _sync(part)
        part.replace(data / _INCOMING)
        _sync(data)
        finish(data)
    except OSError as error:
        raise BackupError(f"The copy could not be put back: {error}") from error


def finish(data: Path) -> bool:
    """Ends what a power cut interrupted; called before the database is opened. Whether there was anything to do."""
    incoming = data / _INCOMING
    if not incoming.exists():
        return False
    for suffix in ("", "-wal"):
        former = data / f"{NAME}{suffix}"
        if former.exists():
            former.replace(data / f"{_BEFORE}{suffix}")
    (data / f"{NAME}-shm").unlink(missing_ok=True)
    # The former log is out of the way for certain before there is a database that it does not belong to.
    _sync(data)
    incoming.replace(data / NAME)
    _sync(data)
    return True


def _check(path: Path, connect: Connect) -> None:
    if not path.is_file():
        raise BackupError(f"There is no {path}.")
    try:
        with closing(connect(path)) as connection:
            told = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            query = "SELECT COUNT(*) FROM sqlite_master WHERE name = ?"
            ours = connection.execute(query, (_TABLE,)).fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"{path} cannot be read: {error}") from error
    if told != "ok" or not ours:
        raise BackupError(f"{path} is damaged ({told})." if ours else f"{path} is not a controller's database.")


def _let_go(database: Path, connect: Connect) -> None:
    """Brings the log into the former database, which only works when nobody else has it open."""
    if not database.exists():
        return
    try:
        with closing(connect(database)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise BackupError("The controller is running; stop it first.") from error
        # A database that cannot be read any more is the reason for all this; it is kept as it is.


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
