"""The least that an emergency costs a device, for the figure `alert-fanout`: verified once, and stored once."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from edge.adapters.database import Database
from protocol.keys import verify
from simulators.fleet.ground import MEMORY
from simulators.fleet.town import Town

_TIMES: Final = 300
_TABLE: Final = ("CREATE TABLE kept (id INTEGER PRIMARY KEY, envelope BLOB NOT NULL)",)


def floor_ms(town: Town) -> float:
    """Processor milliseconds for one signature's check and one transaction in memory."""
    envelope, _ = town.emergency()
    packed, message, signature = envelope.pack(), envelope.signed_bytes(), envelope.signatures[0].signature
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        database = Database(Path(folder) / "kept.db", schema=1, tables=_TABLE, synchronous="FULL")
        began_s = 0.0
        for number in range(_TIMES + 1):
            if number == 1:  # the first opens the file
                began_s = time.process_time()
            assert verify(town.operator_key, signature, message), "it was signed so"
            with database.transaction() as connection:
                connection.execute("INSERT OR REPLACE INTO kept (id, envelope) VALUES (1, ?)", (packed,))
        spent_s = time.process_time() - began_s
        database.close()
    return 1000 * spent_s / _TIMES
