"""The peer of the figure `ingest`: the least that could store statuses, a bare subscriber that writes rows.

It checks nothing, knows no device, and tells no page; it writes the same columns of the same table, batched as the
controller does, with the same promise of durability. `python -m simulators.bench.status_writer PORT DATABASE`.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from typing import Final

from protocol.topics import ROOT
from simulators.bench.bare_subscriber import BareSubscriber
from simulators.fleet.mosquitto import HOSTS

BATCH_S: Final = 0.05
ROWS_MAX: Final = 500
TABLE: Final = "CREATE TABLE devices (id TEXT PRIMARY KEY, status_json TEXT, seen_ms INTEGER, online INTEGER)"
_UPDATE: Final = "UPDATE devices SET status_json = ?, seen_ms = ?, online = 1 WHERE id = ?"


async def write(port: int, database: str) -> None:
    """Subscribes and writes until it is ended."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    waiting: list[bytes] = []
    ready, loop = asyncio.Event(), asyncio.get_running_loop()

    def made() -> BareSubscriber:
        return BareSubscriber(
            "peer", f"{ROOT}/d/+/up/#", ready=ready.set, received=lambda _: None, body=waiting.append
        )

    await loop.create_connection(made, HOSTS[0], port)
    await ready.wait()
    print("ready", flush=True)
    while True:
        await asyncio.sleep(BATCH_S)
        while waiting:
            batch = waiting[:ROWS_MAX]
            del waiting[:ROWS_MAX]
            now = time.time_ns() // 1_000_000
            rows = [(told, now, json.loads(told)["device"]) for told in batch]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_UPDATE, [(told.decode(), at, device) for told, at, device in rows])
            connection.execute("COMMIT")
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(write(int(sys.argv[1]), sys.argv[2]))
