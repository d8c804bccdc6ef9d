"""One SQLite file: opened late, with a schema number, in WAL, and its errors told as the ports' errors."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

from edge.ports import PortError, StorageFullError

_log = logging.getLogger(__name__)
# Every statement here is a constant, so one that SQLite does not understand has met tables that are not ours.
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE})
_SET_ASIDE_MAX: Final = 2
_CACHE_KIB: Final = 256


class DatabaseDamagedError(PortError):
    """The file is there and cannot be read as what it should be."""


class Rows(Protocol):
    """What a statement found."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """What the stores ask of SQLite: the standard library's, or one whose every write is watched."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, sql: str, parameters: Any = ..., /) -> Rows: ...

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Rows: ...

    def close(self) -> None: ...


Connect = Callable[[Path], Connection]


def connect(path: Path) -> Connection:
    """The standard library's SQLite; transactions are begun by us alone."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


class Database:
    """Used by one thread at a time, whichever it is.

    Args:
        synchronous: FULL for what must survive every power cut, NORMAL for what may lose its last moments.
        upgrades: statements that bring an older schema to the one after it.
    """

    def __init__(
        self,
        path: Path,
        *,
        schema: int,
        tables: tuple[str, ...],
        synchronous: str,
        upgrades: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
        connect: Connect = connect,
    ) -> None:
        self._path, self._schema, self._tables, self._synchronous = path, schema, tables, synchronous
        self._upgrades, self._connect = upgrades, connect
        self._connection: Connection | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self._path.exists()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All of the block or nothing; durable at its end as far as `synchronous` promises."""
        try:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._told(error) from error
        except UnicodeDecodeError as error:  # SQLite quotes a rotten schema in its message, which is then no text
            raise DatabaseDamagedError(f"{self._path.name}: {error}") from error

    def close(self) -> None:
        """Lets go; the next transaction opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def set_aside(self) -> None:
        """Renames the damaged file, so somebody can look at it; the oldest of those makes room."""
        self.close()
        if self._path.exists():
            others = [self._aside(number) for number in range(_SET_ASIDE_MAX)]
            target = next((one for one in others if not one.exists()), None) or min(others, key=_modified)
            self._path.replace(target)
        # Last: a power cut after this and before the rename would leave a file without its newest pages, which may
        # look whole. A log without its file is thrown away by SQLite itself.
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.damaged-{number}")

    def _opened(self) -> Connection:
        if self._connection is None:
            connection = self._connect(self._path)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        # Not the quick check: it does not see that an index and its table come from different moments, which is what
        # a card leaves that forgot half of a checkpoint.
        if found and connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
            raise DatabaseDamagedError(f"{self._path.name} is not whole")
        if found != self._schema:
            self._bring_up(connection, found)

    def _bring_up(self, connection: Connection, found: int) -> None:
        steps = [self._tables] if found == 0 else [self._upgrades.get(one) for one in range(found, self._schema)]
        if found > self._schema or None in steps:
            raise DatabaseDamagedError(f"{self._path.name} has schema {found}, not {self._schema}")
        connection.execute("BEGIN IMMEDIATE")
        for statement in (one for step in steps for one in step or ()):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {self._schema}")
        connection.execute("COMMIT")

    def _told(self, error: sqlite3.Error) -> PortError:
        code = getattr(error, "sqlite_errorcode", 0)
        if code in _FULL:
            return StorageFullError(f"{self._path.name}: {error}")
        # Python's own word, without a code: a text in a row is not UTF-8 any more.
        rotten = code & 0xFF in _DAMAGED or "Could not decode" in str(error)
        # One flipped bit of its head makes a file read-only; a disk that is read-only is another matter.
        closed = code & 0xFF == sqlite3.SQLITE_READONLY and os.access(self._path.parent, os.W_OK)
        if rotten or closed:
            return DatabaseDamagedError(f"{self._path.name}: {error}")
        return PortError(f"{self._path.name}: {error}")


def _modified(path: Path) -> float:
    return path.stat().st_mtime
