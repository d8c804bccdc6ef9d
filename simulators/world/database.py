"""The controller's database in memory and in virtual time: real SQL, real migrations, no thread and no waiting.

SQLAlchemy's aiosqlite dialect is given connections shaped like aiosqlite's whose coroutines never suspend, so a
transaction of the controller is one instant of the world. Stands for the file `controller.db`: what was committed
outlives a crash, what was not is lost. The disk may be full, and a computer may die just before or after a commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from controller.store.engine import migrate, open_engine
from simulators.world.loop import new_loop

_URL: Final = "sqlite+aiosqlite://"


class Doom(Enum):
    """When a computer dies."""

    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"


class Database:
    """The file on the controller's disk.

    Attributes:
        full: nothing can be committed that changes anything.
    """

    def __init__(self, image: bytes | None = None) -> None:
        self._raw = sqlite3.connect(":memory:", check_same_thread=False)
        if image is None:
            image = _empty()
        if image:
            self._raw.deserialize(image)
        self.full = False

    def image(self) -> bytes:
        """All that is committed, as a backup would hold it."""
        return self._raw.serialize()

    def restore(self, image: bytes) -> None:
        """Puts a backup in its place."""
        self._raw.deserialize(image)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table by the names of its columns, in the order of storing."""
        found = self._raw.execute(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608 - a name of our own
        names = [one[0] for one in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def open(self, *, died: Callable[[], None] = lambda: None) -> Opened:
        """For one start of the controller.

        Args:
            died: told when the computer dies of `Opened.doom`.
        """
        return Opened(self, self._raw, died)

    def close(self) -> None:
        """The world is over."""
        self._raw.close()


class Opened:
    """The database as one start of the controller has it open.

    SQLAlchemy lets go of a connection one turn of the loop after its last use, so there are several before the one
    database: who begins while another has only read ends that one's snapshot, which nobody looks at any more.

    Attributes:
        engine: for the controller's code.
        doom: what happens at the next commit that changes something.
        commits: how many changed something.
    """

    def __init__(self, database: Database, raw: sqlite3.Connection, died: Callable[[], None]) -> None:
        self._database, self._raw, self._died = database, raw, died
        self._holder: _Connection | None = None
        self._changes = raw.total_changes
        self.alive = True
        self.doom: Doom | None = None
        self.commits = 0
        self.engine = self._engine()

    def _engine(self) -> AsyncEngine:
        async def connect(*_: object, **__: object) -> _Connection:
            return _Connection(self._raw, self)

        return open_engine(_URL, async_creator=connect, poolclass=AsyncAdaptedQueuePool)

    def die(self) -> None:
        """The power is gone: what was not committed is lost, and whoever still runs reaches nothing any more."""
        if self.alive:
            self.alive = False
            self._raw.rollback()

    def check(self) -> None:
        """Raises what a dead computer's driver would."""
        if not self.alive:
            raise sqlite3.OperationalError("the computer is off")

    def begin(self, connection: _Connection) -> None:
        """A connection begins a transaction."""
        self.check()
        if self._holder is not None and self._holder is not connection:
            if self._raw.total_changes != self._changes:
                raise RuntimeError("a transaction waits for something that is not the database")
            self._raw.rollback()
        self._holder, self._changes = connection, self._raw.total_changes

    def commit(self, connection: _Connection) -> None:
        """The one moment that counts."""
        self.check()
        if self._holder is not connection:
            return
        changed, self._holder = self._raw.total_changes != self._changes, None
        if changed and self._database.full:
            self._raw.rollback()
            raise sqlite3.OperationalError("database or disk is full")
        if not changed or self.doom is None:
            self._raw.commit()
            self.commits += changed
            return
        if self.doom is Doom.AFTER_COMMIT:
            self._raw.commit()
        self.die()
        self._died()
        self.check()

    def rollback(self, connection: _Connection) -> None:
        """Nothing of it happened."""
        if self.alive and self._holder is connection:
            self._holder = None
            self._raw.rollback()


class _Connection:
    """What the dialect needs of `aiosqlite.Connection`."""

    def __init__(self, raw: sqlite3.Connection, opened: Opened) -> None:
        self._conn = self._connection = raw
        self._opened = opened
        self._tx = _AtOnce()

    def cursor(self, *_: object, **__: object) -> _Cursor:
        return _Cursor(self._conn.cursor(), self, self._opened)

    async def commit(self) -> None:
        self._opened.commit(self)

    async def rollback(self) -> None:
        self._opened.rollback(self)

    async def close(self) -> None:
        self._opened.rollback(self)

    def stop(self) -> None:
        self._opened.rollback(self)

    async def create_function(self, *args: Any, **options: Any) -> None:
        self._conn.create_function(*args, **options)

    @property
    def isolation_level(self) -> str | None:
        return self._conn.isolation_level


class _AtOnce:
    """The queue to aiosqlite's thread, without the thread."""

    def put_nowait(self, asked: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
        future, function = asked
        future.set_result(function())


class _Cursor:
    """What the dialect needs of `aiosqlite.Cursor`."""

    __slots__ = ("_connection", "_cursor", "_opened")

    def __init__(self, cursor: sqlite3.Cursor, connection: _Connection, opened: Opened) -> None:
        self._cursor, self._connection, self._opened = cursor, connection, opened

    async def __aenter__(self) -> _Cursor:
        return self

    async def execute(self, sql: str, *values: Any) -> _Cursor:
        if sql.startswith("BEGIN"):
            self._opened.begin(self._connection)
        self._opened.check()
        self._cursor.execute(sql, *values)
        return self

    async def executemany(self, *asked: Any) -> _Cursor:
        self._opened.check()
        self._cursor.executemany(*asked)
        return self

    async def fetchall(self) -> Sequence[Any]:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid


@cache
def _empty() -> bytes:
    """What the migrations make of nothing: made once in a process, copied for each world."""
    database = Database(image=b"")
    loop = new_loop()
    loop.run_until_complete(migrate(database.open().engine))
    loop.close()
    image = database.image()
    database.close()
    return image
