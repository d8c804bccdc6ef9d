"""Reports come into the outbox and leave it, while every write is recorded.

The outbox may lose its last moments in a power cut (synchronous=NORMAL): nobody was told that they are safe. What it
may not do is to lose more than that on an honest card, to hold half of anything, or to be unusable on any card.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.adapters.outbox import SqliteOutbox
from edge.reporter import Letter
from simulators.crash.cuts import Cut
from simulators.crash.recorder import recording
from simulators.crash.sqlite_vfs import recorded_sqlite
from simulators.crash.trial import Recorded

_NAME: Final = "outbox.db"
_MANY: Final = 1000
_NEW: Final = Letter("loalang/v1/d/dev-c07/up/fault", b'{"new":true}', 1)


def record(directory: Path, *, rounds: int) -> Recorded:
    """Some reports come in each round, and some of the older ones are stored by the controller."""
    with recording(directory) as recorder, recorded_sqlite(recorder) as connect:
        states: list[tuple[bytes, ...]] = [()]
        with closing(SqliteOutbox(directory / _NAME, connect=connect)) as outbox:
            for number in range(rounds):
                letters = [_letter(number, one) for one in range(3)]
                outbox.append(letters)
                states.append(_payloads(outbox))
                recorder.tell(len(states) - 1)
                outbox.delete([one.id for one in outbox.oldest(2)])
                states.append(_payloads(outbox))
                recorder.tell(len(states) - 1)
    return Recorded(tuple(recorder.deeds), Story(tuple(states)).judge)


def _letter(number: int, one: int) -> Letter:
    return Letter("loalang/v1/d/dev-c07/up/as_run", b"%d.%d" % (number, one) * 60, one)


def _payloads(outbox: SqliteOutbox) -> tuple[bytes, ...]:
    return tuple(one.letter.payload for one in outbox.oldest(_MANY))


@dataclass(frozen=True, slots=True)
class Story:
    """What should be there. Attributes: states: payloads after each step."""

    states: tuple[tuple[bytes, ...], ...]

    def judge(self, card: Path, cut: Cut) -> list[str]:
        """Opens the outbox, reads it, and puts one report more into it."""
        with closing(SqliteOutbox(card / _NAME)) as outbox:
            found = _payloads(outbox)
            outbox.append([_NEW])
            after = _payloads(outbox)
        wrong = []
        if after != (*found, _NEW.payload):
            wrong.append("a new report is not kept")
        if cut.honest and (found not in self.states[: cut.told + 2] or list(card.glob("*.damaged-*"))):
            wrong.append("the outbox is not as it ever was")
        if not {*found} <= {one for state in self.states for one in state}:
            wrong.append("a report that nobody made")
        return wrong
