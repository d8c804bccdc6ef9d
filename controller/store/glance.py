"""One row by its key, read at once instead of by a thread: for what is asked before everything else.

A question through the engine passes six times between two threads, which is right for what may take a while. Who a
device is takes one look into an index, 20 us, and is asked by 10,000 devices when they come back at once. Each look
sees what was committed last, so what was taken away a moment ago is gone.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Select, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.store.engine import reading

logger = logging.getLogger(__name__)

_WAIT_S: Final = 0.1
"""A reader never waits for a writer; it does while a database is being recovered."""
_open: WeakKeyDictionary[Engine, sqlite3.Connection] = WeakKeyDictionary()
_texts: dict[Select[Any], str] = {}


async def glance(engine: AsyncEngine, asked: Select[Any], **values: object) -> Mapping[str, Any] | None:
    """The first row, by the names of its columns; None when there is none.

    Args:
        asked: a constant with bound parameters, whose condition is a key of its table.
    """
    connection = _connection(engine.sync_engine)
    if connection is not None:
        try:
            rows = connection.execute(_text(asked), values).fetchall()
        except sqlite3.OperationalError as error:
            logger.debug("a look at the database failed, it is asked the long way: %s", error)
        else:
            return rows[0] if rows else None
    async with reading(engine) as longer:
        row = (await longer.execute(asked, values)).first()
    return None if row is None else row._mapping


def _text(asked: Select[Any]) -> str:
    if asked not in _texts:
        _texts[asked] = str(asked.compile(dialect=sqlite.dialect(paramstyle="named")))
    return _texts[asked]


def _connection(engine: Engine) -> sqlite3.Connection | None:
    """None for a database that is no file of SQLite."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return None
    if engine not in _open:
        try:
            opened = sqlite3.connect(
                f"file:{path}?mode=ro", uri=True, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
            )
        except sqlite3.OperationalError:
            return None
        opened.row_factory = _named
        _open[engine] = opened
        event.listen(engine, "engine_disposed", _close)
    return _open[engine]


def _close(engine: Engine) -> None:
    connection = _open.pop(engine, None)
    if connection is not None:
        connection.close()


def _named(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
