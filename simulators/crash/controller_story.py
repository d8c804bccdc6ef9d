"""The controller stores documents and reports, and a copy of its database is put back; every write is recorded.

Statements are taken from the real code on a real engine, with the places where its transactions begin and end, and
done once more on a database whose every write is watched. The controller promises less than a device: its disk may be
slow, but it keeps what it says it has stored. So only honest cuts are asked about.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.devices.reports import Batch, write
from controller.store import backup
from controller.store.engine import PRAGMAS, migrate, open_engine, writing
from controller.store.schema import documents
from protocol.clock import WallMs
from protocol.report import AsRun, EndReason, Fault, FaultCode, Receipt, Standing
from simulators.crash.cuts import Cut
from simulators.crash.recorder import recording
from simulators.crash.sqlite_vfs import recorded_sqlite
from simulators.crash.trial import Recorded

_COPY: Final = "copy.db"
_QUERIES: Final = (
    "SELECT digest, state FROM documents",
    "SELECT device, id FROM as_run",
    "SELECT device, document, standing FROM standings",
    "SELECT device, code, ended_ms FROM faults",
)
Rows = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class _Statement:
    """As it goes to the driver. Attributes: parameters: several of them when `many`."""

    sql: str
    parameters: Any = ()
    many: bool = False


def record(directory: Path, *, rounds: int) -> Recorded:
    """Each round stores a document, and then a batch of reports."""
    place, made = directory / "recorded", directory / "made"
    place.mkdir()
    made.mkdir()
    statements = asyncio.run(_statements(made, rounds=rounds))
    with recording(place) as recorder, recorded_sqlite(recorder) as connect:
        recorder.begin_with({backup.NAME: (made / "empty.db").read_bytes()})
        first = len(recorder.deeds)
        with closing(connect(place / backup.NAME)) as connection:
            for pragma in PRAGMAS:
                connection.execute(pragma)
            states = [_rows(connection.execute)]
            for one in statements:
                (connection.executemany if one.many else connection.execute)(one.sql, one.parameters)
                if one.sql == "COMMIT":
                    recorder.tell(len(states))
                    states.append(_rows(connection.execute))
    return Recorded(tuple(recorder.deeds), partial(_judge, tuple(states)), first, may_lie=False)


def _judge(states: tuple[tuple[Rows, ...], ...], card: Path, cut: Cut) -> list[str]:
    with closing(sqlite3.connect(card / backup.NAME)) as connection:
        if connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
            return ["the database is damaged"]
        found = _rows(connection.execute)
    return [] if found in states[cut.told : cut.told + 2] else ["what was acknowledged is not there, or half of it"]


def _rows(execute: Callable[[str], Any]) -> tuple[Rows, ...]:
    return tuple(tuple(sorted(map(tuple, execute(query).fetchall()), key=repr)) for query in _QUERIES)


async def _statements(made: Path, *, rounds: int) -> list[_Statement]:
    """What the real code says to the database; an empty one is left as `empty.db`."""
    engine = open_engine(f"sqlite+aiosqlite:///{made / 'empty.db'}")
    await migrate(engine)
    await engine.dispose()
    (made / "work.db").write_bytes((made / "empty.db").read_bytes())
    engine = open_engine(f"sqlite+aiosqlite:///{made / 'work.db'}")
    found: list[_Statement] = []
    _listen(engine, found)
    for number in range(rounds):
        async with writing(engine) as connection:
            await connection.execute(insert(documents).values(**_document(number)))
        async with writing(engine) as connection:
            await write(connection, _batch(number))
    await engine.dispose()
    return found


def _listen(engine: AsyncEngine, found: list[_Statement]) -> None:
    def said(_: object, __: object, sql: str, parameters: Any, ___: object, many: bool) -> None:
        found.append(_Statement(sql, parameters, many))

    event.listen(engine.sync_engine, "before_cursor_execute", said)
    event.listen(engine.sync_engine, "commit", lambda _: found.append(_Statement("COMMIT")))


def _document(number: int) -> dict[str, Any]:
    return {
        "digest": hashlib.sha256(b"%d" % number).hexdigest(),
        "scope": "vn/92/31498",
        "kind": "schedule",
        "version": number,
        "state": "in_force",
        "envelope": b"envelope" * 150,
        "holder": "commune",
        "signers_json": "[]",
        "issued_ms": number,
        "stored_ms": number,
    }


def _batch(number: int) -> Batch:
    """Reports of a few devices: new ones, and some that change what is there."""
    batch = Batch(count=12)
    for device in ("loa-1", "loa-2", "loa-3"):
        wall = WallMs(1000 + number)
        run = AsRun(f"r{number}", device, 6, "a" * 64, wall, wall, EndReason.COMPLETE, -1800)
        batch.runs.append(run)
        batch.receipts.append((Receipt(device, f"{number:064d}", "schedule", Standing.RECEIVED, wall), wall))
        batch.receipts.append((Receipt(device, f"{0:064d}", "schedule", Standing.HEARD, wall), wall))
        batch.faults.append(Fault(device, FaultCode.CARD_LOST, WallMs(1), ended=wall if number % 2 else None))
    return batch


# A copy is put back.


def record_putting_back(directory: Path) -> Recorded:
    """A copy of an older database is put back beside what a killed controller left: a database and its log."""
    files = _left_by_a_kill(directory / "made")
    place = directory / "recorded"
    place.mkdir()
    with recording(place) as recorder, recorded_sqlite(recorder) as connect:
        recorder.begin_with(files)
        first = len(recorder.deeds)
        backup.put_back(place / _COPY, place, connect=connect)
        recorder.tell(1)
    return Recorded(tuple(recorder.deeds), _judge_putting_back, first, may_lie=False)


def _left_by_a_kill(made: Path) -> dict[str, bytes]:
    made.mkdir()
    with closing(sqlite3.connect(made / backup.NAME, isolation_level=None)) as connection:
        for sql in ("PRAGMA journal_mode = WAL", "CREATE TABLE alembic_version (n)", "CREATE TABLE people (name)"):
            connection.execute(sql)
        connection.execute("INSERT INTO people VALUES ('old')")
        backup.back_up(made, made / _COPY)
        connection.execute("INSERT INTO people VALUES ('new')")
        return {name: (made / name).read_bytes() for name in (backup.NAME, f"{backup.NAME}-wal", _COPY)}


def _judge_putting_back(card: Path, cut: Cut) -> list[str]:
    backup.finish(card)
    with closing(sqlite3.connect(f"{(card / backup.NAME).as_uri()}?mode=rw", uri=True)) as connection:
        if connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
            return ["the database is damaged"]
        found = [name for (name,) in connection.execute("SELECT name FROM people")]
    if cut.told and found != ["old"]:
        return ["the copy was not put back"]
    return [] if found in (["old"], ["old", "new"]) else [f"a mixture of both: {found}"]
