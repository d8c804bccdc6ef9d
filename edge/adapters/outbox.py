"""Reports that wait for the link, in a database of their own: a chatty outbox must never slow the state down.

synchronous=NORMAL: a power cut may cost the last moments' reports, and saves an fsync for each. Bounded: when there
are too many, receipts go first, then faults; as-run records are what the province is shown and stay longest.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from edge.adapters.database import Connect, Database, DatabaseDamagedError, connect
from edge.reporter import KeptLetter, Letter

_SCHEMA: Final = 1
_TABLES: Final = (
    "CREATE TABLE letters"
    " (id INTEGER PRIMARY KEY AUTOINCREMENT, worth INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL)",
    "CREATE INDEX letters_worth ON letters (worth, id)",
)
LETTERS_MAX: Final = 20_000
_SPARE: Final = 100
_log = logging.getLogger(__name__)


class SqliteOutbox:
    """The outbox in `path`; used by one thread at a time."""

    def __init__(self, path: Path, *, letters_max: int = LETTERS_MAX, connect: Connect = connect) -> None:
        self._database = Database(path, schema=_SCHEMA, tables=_TABLES, synchronous="NORMAL", connect=connect)
        self._letters_max = letters_max
        self._count: int | None = None

    def append(self, letters: Sequence[Letter]) -> None:
        """Keeps them; the least worthy of all go when there are too many."""
        try:
            self._append(letters)
        except DatabaseDamagedError as error:
            self._begin_anew(error)
            self._append(letters)

    def oldest(self, count: int) -> tuple[KeptLetter, ...]:
        """The next to send; what rotted and cannot be sent is forgotten, or it would hold up the rest."""
        while True:
            try:
                with self._database.transaction() as connection:
                    query = "SELECT id, topic, payload, worth FROM letters ORDER BY id LIMIT ?"
                    rows = connection.execute(query, (count,)).fetchall()
            except DatabaseDamagedError as error:
                self._begin_anew(error)
                return ()
            rotten = [row[0] for row in rows if not _can_be_sent(row)]
            if not rotten:
                return tuple(KeptLetter(number, Letter(*letter)) for number, *letter in rows)
            _log.warning("%d reports are damaged and are forgotten", len(rotten))
            self.delete(rotten)

    def delete(self, ids: Sequence[int]) -> None:
        """Forgets what was acknowledged."""
        try:
            with self._database.transaction() as connection:
                connection.executemany("DELETE FROM letters WHERE id = ?", [(one,) for one in ids])
        except DatabaseDamagedError as error:
            self._begin_anew(error)
        self._count = None if self._count is None else self._count - len(ids)

    def close(self) -> None:
        """Lets go of the database."""
        self._database.close()

    def _append(self, letters: Sequence[Letter]) -> None:
        with self._database.transaction() as connection:
            if self._count is None:
                self._count = connection.execute("SELECT COUNT(*) FROM letters").fetchone()[0]
            connection.executemany(
                "INSERT INTO letters (worth, topic, payload) VALUES (?, ?, ?)",
                [(one.worth, one.topic, one.payload) for one in letters],
            )
            excess = self._count + len(letters) - self._letters_max
            if excess > 0:
                query = "DELETE FROM letters WHERE id IN (SELECT id FROM letters ORDER BY worth, id LIMIT ?)"
                connection.execute(query, (excess + _SPARE,))
        self._count = None if excess > 0 else self._count + len(letters)

    def _begin_anew(self, error: DatabaseDamagedError) -> None:
        _log.warning("the outbox is damaged and was set aside: %s", error)
        self._database.set_aside()
        self._count = None


def _can_be_sent(row: tuple[Any, ...]) -> bool:
    _, topic, payload, worth = row
    named = isinstance(topic, str) and topic != "" and not set(topic) & set("+#\0")
    return named and isinstance(payload, bytes) and isinstance(worth, int)
