"""A day offline, as a device's outbox has it afterwards: what sounded, each record once, in its own store."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from edge.adapters.outbox import SqliteOutbox
from edge.reporter import Letter
from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.report import AsRun, EndReason
from protocol.topics import up_topic

_LASTED_MS: Final = 300_000
_LEVEL_CDB: Final = -1_800
_RUNG: Final = 6
_WORTH: Final = 2


def fill_outbox(data: Path, device: str, records: int) -> None:
    """Puts a day's as-run records into the outbox of a device that does not run."""
    data.mkdir(parents=True, exist_ok=True)
    outbox, topic = SqliteOutbox(data / "outbox.db"), up_topic(device, AsRun)
    yesterday = time.time_ns() // 1_000_000 - DAY_MS
    made = (_record(device, number, yesterday + number * (DAY_MS // records)) for number in range(records))
    outbox.append([Letter(topic, codec.encode(one), _WORTH) for one in made])
    outbox.close()


def _record(device: str, number: int, began_ms: int) -> AsRun:
    return AsRun(
        id=f"day-{number}-{began_ms}",
        device=device,
        rung=_RUNG,
        source="a" * 64,
        began=WallMs(began_ms),
        ended=WallMs(began_ms + _LASTED_MS),
        end_reason=EndReason.COMPLETE,
        level_cdb=_LEVEL_CDB,
        document="b" * 64,
        item="one",
        start=WallMs(began_ms),
    )


def letters_waiting(data: Path) -> int:
    """How many reports a device still keeps; the device may be running."""
    path = data / "outbox.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM letters").fetchone()[0])
