"""The device's memory: registers and signed documents, durable before anything sounds because of them.

SQLite with WAL and synchronous=FULL: with NORMAL, acknowledged rows were lost in most simulated power cuts. The
documents are mirrored as files, so a database that is lost or damaged is rebuilt from them; registers cannot be
rebuilt, and the core is told so. Some cards say that they have stored what they have not: then the database may be
whole and older than its mirror, or a mixture of two saves. The number of the save in each row and file, and a seal
over all of them, show both. A ballast file is given up when the disk is full: a device that cannot write its state
could obey nothing more.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from edge.adapters.database import Connect, Connection, Database, DatabaseDamagedError, connect
from edge.adapters.document_mirror import DocumentMirror, Entry, Mirrored
from edge.adapters.files import free_bytes, port_errors
from edge.core.effects import StoredDocument
from edge.ports import PortError, Stored

_SCHEMA: Final = 2
# Each save looks through what there is, but not through the envelopes themselves.
_INDEX: Final = "CREATE INDEX documents_entries ON documents (key, digest, number)"
_TABLES: Final = (
    "CREATE TABLE registers"
    " (id INTEGER PRIMARY KEY CHECK (id = 1), data BLOB NOT NULL, digest TEXT NOT NULL, number INTEGER NOT NULL)",
    "CREATE TABLE documents"
    " (key TEXT PRIMARY KEY, digest TEXT NOT NULL, envelope BLOB NOT NULL, number INTEGER NOT NULL)",
    _INDEX,
)
_UPGRADES: Final = {
    1: (
        "ALTER TABLE registers ADD COLUMN number INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE documents ADD COLUMN number INTEGER NOT NULL DEFAULT 0",
        _INDEX,
    ),
}
T = TypeVar("T")
BALLAST_BYTES: Final = 1024 * 1024
_BALLAST_AGAIN: Final = 8
_log = logging.getLogger(__name__)


class SqliteStateStore:
    """State in `directory`; used by one thread at a time."""

    def __init__(self, directory: Path, *, ballast_bytes: int = BALLAST_BYTES, connect: Connect = connect) -> None:
        self._directory = directory
        self._ballast, self._ballast_bytes = directory / "ballast", ballast_bytes
        with port_errors(f"the state directory {directory} cannot be used"):
            directory.mkdir(parents=True, exist_ok=True)
            self._mirror = DocumentMirror(directory / "documents")
        self._database = Database(
            directory / "state.db",
            schema=_SCHEMA,
            tables=_TABLES,
            synchronous="FULL",
            upgrades=_UPGRADES,
            connect=connect,
        )

    def load(self) -> Stored:
        """What was saved last."""
        stored = self._read_if_whole()
        if stored is None:
            stored = Stored(None, tuple(one.document.envelope for one in self._rebuild()), damaged=True)
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
            row = connection.execute("SELECT number, digest, data FROM registers").fetchone()
            query = "SELECT key, digest, number, envelope FROM documents ORDER BY rowid"
            rows = connection.execute(query).fetchall()
        entries = [_entry(one[:3]) for one in rows]
        whole = all(isinstance(one[3], bytes) and _digest(one[3]) == one[1] for one in rows)
        if not whole or (row is not None and not _is_sealed(row, entries)):
            raise DatabaseDamagedError("a row is not what was written")
        if row is None and (rows or not self._mirror.is_empty):
            # Both are written in one act. A file that a power cut left empty looks like a device's first start, and
            # an older schedule would be obeyed again.
            raise DatabaseDamagedError("there are documents and no registers")
        if row is not None and (ahead := self._mirror.read(after=row[0])):
            return self._catch_up(row[2], ahead)
        return Stored(row[2] if row else None, tuple(one[3] for one in rows))

    def _catch_up(self, registers: bytes, ahead: tuple[Mirrored, ...]) -> Stored:
        """The database is whole and older than its mirror: what it forgot is taken from there, and told."""
        _log.warning("the database has forgotten what it had stored; %d documents come from the mirror", len(ahead))
        self._write(registers, (one.document for one in ahead), (), after=max(one.number for one in ahead))
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT envelope FROM documents ORDER BY rowid").fetchall()
        return Stored(registers, tuple(envelope for (envelope,) in rows), damaged=True)

    def _write(self, registers: bytes, put: Iterable[StoredDocument], drop: Iterable[str], *, after: int = 0) -> None:
        with self._database.transaction() as connection:
            number = max(after, _newest(connection)) + 1
            connection.executemany("DELETE FROM documents WHERE key = ?", [(key,) for key in drop])
            _insert(connection, [Mirrored(number, one) for one in put])
            seal = _seal(number, registers, _entries(connection))
            query = "INSERT OR REPLACE INTO registers (id, number, digest, data) VALUES (1, ?, ?, ?)"
            connection.execute(query, (number, seal, registers))

    def _rebuild(self) -> tuple[Mirrored, ...]:
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
                entries = _entries(connection)
                missing = [one for one in entries if not self._mirror.has(one)]
                query = "SELECT key, envelope FROM documents WHERE key = ?"
                rows = [connection.execute(query, (one.key,)).fetchone() for one in missing]
            documents = [Mirrored(one.number, StoredDocument(*row)) for one, row in zip(missing, rows, strict=True)]
            self._mirror.update(documents, keep=entries)
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


def _insert(connection: Connection, documents: Iterable[Mirrored]) -> None:
    rows = [
        (one.document.key, _digest(one.document.envelope), one.document.envelope, one.number) for one in documents
    ]
    query = "INSERT OR REPLACE INTO documents (key, digest, envelope, number) VALUES (?, ?, ?, ?)"
    connection.executemany(query, rows)


def _entries(connection: Connection) -> list[Entry]:
    rows = connection.execute("SELECT key, digest, number FROM documents ORDER BY key").fetchall()
    return [_entry(row) for row in rows]


def _entry(row: Sequence[Any]) -> Entry:
    """SQLite keeps what it is given, so a rotten row may hold anything."""
    key, digest, number = row
    if isinstance(key, str) and isinstance(digest, str) and isinstance(number, int):
        return Entry(key, digest, number)
    raise DatabaseDamagedError("a row is not what was written")


def _is_sealed(row: Sequence[Any], entries: Iterable[Entry]) -> bool:
    number, seal, registers = row
    return isinstance(number, int) and isinstance(registers, bytes) and seal == _seal(number, registers, entries)


def _newest(connection: Connection) -> int:
    """Number of the last save that the database knows of."""
    row = connection.execute("SELECT number FROM registers").fetchone()
    if row is None:  # rebuilt, and not saved since
        row = connection.execute("SELECT MAX(number) FROM documents").fetchone()
    newest = row[0] or 0
    if not isinstance(newest, int):
        raise DatabaseDamagedError("the number of a save is no number")
    return newest


def _seal(number: int, registers: bytes, entries: Iterable[Entry]) -> str:
    """A digest over all that belongs together; an older agent, which numbered nothing, made it of the registers."""
    if number == 0:
        return _digest(registers)
    names = "\n".join(sorted(f"{one.key} {one.digest} {one.number}" for one in entries))
    return _digest(f"{number}\n{names}\n".encode() + registers)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
