"""SQLite's own dealings with its files, written down: a virtual file system of apsw that does all the real one does.

apsw brings an SQLite of its own, from the same sources as the one in Python's standard library and usually newer.
Records are made with it; what a cut has left is opened by the store as it is, with the standard library's.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from edge.adapters.database import Connect
from simulators.crash.card import parent
from simulators.crash.recorder import Recorder

_CHECKPOINT_PAGES: Final = 16
"""Of SQLite's own 1,000 a short story would never see one: the log is brought into the database more often."""
_numbers: Final = itertools.count(1)
_NEW_JOURNALS: Final = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_SUPER_JOURNAL


class _File(apsw.VFSFile):
    def __init__(self, path: Any, flags: list[int], recorder: Recorder, *, name: str) -> None:
        self._recorder, self._name = recorder, name
        # As SQLite's own file system does: the first sync of a new journal or log syncs its directory too.
        self._names_unsynced = bool(flags[0] & _NEW_JOURNALS) and not (recorder.root / name).exists()
        super().__init__("", path, flags)
        recorder.made(name)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._recorder.wrote(self._name, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._recorder.sized(self._name, newsize)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._recorder.synced(self._name)
        if self._names_unsynced:
            self._names_unsynced = False
            self._recorder.synced(parent(self._name))


class _Vfs(apsw.VFS):
    def __init__(self, name: str, recorder: Recorder) -> None:
        self._recorder = recorder
        super().__init__(name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        known = self._recorder.name_of(path) if path is not None else None
        if known is None:
            return apsw.VFSFile("", name, flags)
        return _File(name, flags, self._recorder, name=known)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        known = self._recorder.name_of(filename)
        if known is not None:
            self._recorder.removed(known)
            if syncdir:
                self._recorder.synced(parent(known))


class _Connection:
    """apsw behind the few calls that the stores make, with the standard library's errors."""

    def __init__(self, path: Path, vfs: str) -> None:
        with _told():
            self._connection = apsw.Connection(str(path), vfs=vfs)
            self._connection.wal_autocheckpoint(_CHECKPOINT_PAGES)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Any = (), /) -> _Rows:
        with _told():
            return _Rows(list(self._connection.execute(sql, parameters)))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> _Rows:
        with _told():
            return _Rows(list(self._connection.executemany(sql, parameters)))

    def close(self) -> None:
        with _told():
            self._connection.close()


class _Rows:
    def __init__(self, rows: list[Any]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        told = sqlite3.DatabaseError(str(error))
        told.sqlite_errorcode = getattr(error, "extendedresult", 0)
        raise told from error


@contextmanager
def recorded_sqlite(recorder: Recorder) -> Iterator[Connect]:
    """Opens databases, until the block ends, so that the recorder sees all that SQLite does to them."""
    name = f"recorded-{next(_numbers)}"
    vfs = _Vfs(name, recorder)
    try:
        yield lambda path: _Connection(path, name)
    finally:
        vfs.unregister()
