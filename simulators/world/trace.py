"""What happened, in order: one line for each thing, told to whoever listens and hashed as it comes.

The hash of two runs of one seed is the same on any machine and under any hash seed; where it is not, something in the
agent or in the world draws from a well that is not the seed's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocol.clock import WallMs


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened.

    Attributes:
        at: true wall time, whatever the device's own clock says.
        who: the device, `controller`, `broker`, `office`, or a person's name.
        what: a word for the kind, such as `sound.began`.
        words: what tells this one from others of its kind; part of the hash, so nothing that varies between runs.
        thing: the object itself, for the checkers; not part of the hash.
    """

    at: WallMs
    who: str
    what: str
    words: str = ""
    thing: Any = None

    def line(self) -> str:
        """One line of text."""
        return f"{self.at} {self.who} {self.what} {self.words}"


class Trace:
    """Tells records to its listeners.

    Attributes:
        count: how many there were.
        counts: how many of each kind.
    """

    def __init__(self, true_wall: Callable[[], WallMs]) -> None:
        self._true_wall = true_wall
        self._hash = hashlib.blake2b(digest_size=16)
        self._listeners: list[Callable[[Record], None]] = []
        self._closed = False
        self.count = 0
        self.counts: dict[str, int] = {}

    def listen(self, listener: Callable[[Record], None]) -> None:
        """From now on this one is told everything."""
        self._listeners.append(listener)

    def tell(self, who: str, what: str, words: str = "", thing: Any = None) -> None:
        """Something happened just now."""
        if self._closed:
            return
        record = Record(self._true_wall(), who, what, words, thing)
        self._hash.update(record.line().encode())
        self.count += 1
        self.counts[what] = self.counts.get(what, 0) + 1
        for listener in self._listeners:
            listener(record)

    def close(self) -> None:
        """The world is over; what is cleared away afterwards is not part of it."""
        self._closed = True

    def digest(self) -> str:
        """Of everything so far, in hexadecimal."""
        return self._hash.hexdigest()
