"""The device's memory: registers and signed documents, durable before anything sounds because of them.

SQLite with WAL and synchronous=FULL: with NORMAL, acknowledged rows were lost in most simulated power cuts. The
documents are mirrored as files, so a database that is lost or damaged is rebuilt from them; registers cannot be
rebuilt, and the core is told so. A ballast file is given up when the disk is full: a device that cannot write its
state could obey nothing more.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

from edge.adapters.database import Database, DatabaseDamagedError
from edge.adapters.document_mirror import DocumentMirror
from edge.adapters.files import free_bytes, port_errors
from edge.core.effects import StoredDocument
from edge.ports import PortError, Stored

_SCHEMA: Final = 1
_TABLES: Final = (
    "CREATE TABLE registers (id INTEGER PRIMARY KEY CHECK (id = 1), data BLOB NOT NULL, digest TEXT NOT NULL)",
    "CREATE TABLE documents (key TEXT PRIMARY KEY, digest TEXT NOT NULL, envelope BLOB NOT NULL)",
)
T = TypeVar("T")
BALLAST_BYTES: Final = 1024 * 1024
_BALLAST_AGAIN: Final = 8
_log = logging.getLogger(__name__)


class SqliteStateStore:
    """State in `directory`; used by one thread at a time."""

    def __init__(self, directory: Path, *, ballast_bytes: int = BALLAST_BYTES) -> None:
        self._directory = directory
        self._ballast, self._ballast_bytes = directory / "ballast", ballast_bytes
        with port_errors(f"the state directory {directory} cannot be used"):
            directory.mkdir(parents=True, exist_ok=True)
            self._mirror = DocumentMirror(directory / "documents")
        self._database = Database(directory / "state.db", schema=_SCHEMA, tables=_TABLES, synchronous="FULL")

    def load(self) -> Stored:
        """What was saved last."""
        stored = self._read_if_whole()
        if stored is None:
            stored = Stored(None, tuple(one.envelope for one in self._rebuild()), damaged=True)
        self._mirror_all()
        self._keep_ballast()
        return stored

    def _read_if_whole(self) -> Stored | None:
        """None when the database is damaged or lost, or cannot even be opened."""
        if not (self._database.exists or self._mirror.is_empty):
            return None
        try:
            return self._with_ballast(self._read)
        except DatabaseDamagedError as error:
            _log.warning("the stored state is damaged: %s", error)
        return None

    def _with_ballast(self, work: Callable[[], T]) -> T:
        """SQLite needs room for its log even to read; the ballast is that room when the disk is full."""
        try:
            return work()
        except DatabaseDamagedError:
            raise
        except PortError:
            if not self._ballast.exists():
                raise
            _log.warning("the disk is full; the ballast is given up")
            self._database.close()
            self._ballast.unlink()
            return work()

    def save(self, registers: bytes, put: tuple[StoredDocument, ...], drop: tuple[str, ...]) -> None:
        """All of it or nothing; gives up the ballast when the disk is full."""
        try:
            self._with_ballast(lambda: self._write(registers, put, drop))
        except DatabaseDamagedError as error:
            _log.warning("the database broke while in use: %s", error)
            self._rebuild()
            self._write(registers, put, drop)
        if put or drop:
            self._mirror_all()
        self._keep_ballast()

    def close(self) -> None:
        """Lets go of the database."""
        self._database.close()

    def _read(self) -> Stored:
        with self._database.transaction() as connection:
            row = connection.execute("SELECT digest, data FROM registers").fetchone()
            rows = connection.execute("SELECT digest, envelope FROM documents ORDER BY rowid").fetchall()
        for digest, data in (*((row,) if row else ()), *rows):
            if not isinstance(data, bytes) or _digest(data) != digest:
                raise DatabaseDamagedError("a row is not what was written")
        if row is None and (rows or not self._mirror.is_empty):
            # Both are written in one act. A file that a power cut left empty looks like a device's first start, and
            # an older schedule would be obeyed again.
            raise DatabaseDamagedError("there are documents and no registers")
        return Stored(row[1] if row else None, tuple(envelope for _, envelope in rows))

    def _write(self, registers: bytes, put: Iterable[StoredDocument], drop: Iterable[str]) -> None:
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM documents WHERE key = ?", [(key,) for key in drop])
            _insert(connection, put)
            row = (_digest(registers), registers)
            connection.execute("INSERT OR REPLACE INTO registers (id, digest, data) VALUES (1, ?, ?)", row)

    def _rebuild(self) -> tuple[StoredDocument, ...]:
        """Sets the database aside and begins a new one with the mirrored documents."""
        self._database.set_aside()
        documents = self._mirror.read()
        try:
            with self._database.transaction() as connection:
                _insert(connection, documents)
        except PortError as error:
            _log.warning("the database could not be rebuilt yet: %s", error)
        return documents

    def _mirror_all(self) -> None:
        """The documents are durable in the database already, so a failure here loses nothing."""
        try:
            with self._database.transaction() as connection:
                rows = connection.execute("SELECT key, digest FROM documents").fetchall()
                missing = [key for key, digest in rows if not self._mirror.has(key, digest)]
                query = "SELECT key, envelope FROM documents WHERE key = ?"
                documents = [StoredDocument(*connection.execute(query, (key,)).fetchone()) for key in missing]
            self._mirror.update(documents, keep=rows)
        except (OSError, PortError) as error:
            _log.warning("the mirror of the documents is behind: %s", error)

    def _keep_ballast(self) -> None:
        if self._ballast_bytes == 0 or self._ballast.exists():
            return
        try:
            if free_bytes(self._directory) < self._ballast_bytes * _BALLAST_AGAIN:
                return
            with self._ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._ballast_bytes)
        except OSError as error:
            _log.warning("no room for the ballast: %s", error)
            self._ballast.unlink(missing_ok=True)


def _insert(connection: sqlite3.Connection, documents: Iterable[StoredDocument]) -> None:
    rows = [(one.key, _digest(one.envelope), one.envelope) for one in documents]
    connection.executemany("INSERT OR REPLACE INTO documents (key, digest, envelope) VALUES (?, ?, ?)", rows)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
