"""What a device is told when it asks: the parcels of its ancestors and the alerts that concern it, kept in memory.

The second path beside the broker (architecture.md, "The way of the data"): one dead broker is not silence.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from controller.waiting import wait_a_while
from protocol.alert import Alert, Cancel
from protocol.document import SpeechDocument
from protocol.units import UnitPath, addresses, ancestors

ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
TOLD_AFTER_S: Final = 1.0
"""Those who wait are told this much later than the broker's subscribers, so the two never compete."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something from the alert topic that has not expired."""

    digest: str
    document: SpeechDocument
    packed: str

    def concerns(self, place: UnitPath) -> bool:
        """Whether a device at the place is addressed."""
        return addresses(getattr(self.document, "targets", ()), place)


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a device should hold, and a name for it."""

    cursor: str
    parcels: tuple[str, ...]
    alerts: tuple[str, ...]


def without_cancelled(spoken: Iterable[Spoken]) -> tuple[Spoken, ...]:
    """Leaves out alerts whose cancel is there: whoever comes late hears neither."""
    everything = tuple(spoken)
    cancelled = {one.document.alert_id for one in everything if isinstance(one.document, Cancel)}
    return tuple(one for one in everything if not (isinstance(one.document, Alert) and one.document.id in cancelled))


@dataclass(slots=True)
class Shelf:
    """Everything that is published now."""

    parcels: dict[UnitPath, str] = field(default_factory=dict)
    spoken: tuple[Spoken, ...] = ()
    closed: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _telling: asyncio.TimerHandle | None = None

    def put_parcel(self, unit: UnitPath, parcel: bytes) -> None:
        """Replaces a unit's parcel."""
        text = parcel.decode()
        if self.parcels.get(unit) != text:
            self.parcels[unit] = text
            self._tell_later()

    def put_spoken(self, spoken: Iterable[Spoken]) -> None:
        """Replaces what is spoken at once."""
        kept = without_cancelled(spoken)
        if [one.digest for one in kept] != [one.digest for one in self.spoken]:
            self.spoken = kept
            self._tell_later()

    def answer(self, place: UnitPath) -> Answer:
        """What a device at the place should hold now."""
        parcels = tuple(self.parcels[unit] for unit in ancestors(place) if unit in self.parcels)
        alerts = tuple(one.packed for one in self.spoken if one.concerns(place))
        parcels = _within_size(parcels, ANSWER_BYTES_MAX - sum(len(one) for one in alerts))
        name = hashlib.sha256()
        for text in (*parcels, "|", *alerts):
            name.update(hashlib.sha256(text.encode()).digest())
        return Answer(name.hexdigest()[:32], parcels, alerts)

    async def wait(self, *, seconds: float) -> None:
        """Returns when something changed, when the time is over, or when the service stops."""
        if self.closed:
            return
        await wait_a_while(self._changed, seconds=seconds)

    def close(self) -> None:
        """Lets everybody go who waits."""
        self.closed = True
        self._tell()

    def _tell_later(self) -> None:
        if self._telling is None and not self.closed:
            self._telling = asyncio.get_running_loop().call_later(TOLD_AFTER_S, self._tell)

    def _tell(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        self._changed.set()
        self._changed = asyncio.Event()


def _within_size(parcels: tuple[str, ...], bytes_max: int) -> tuple[str, ...]:
    """As many parcels as fit, the nearest unit's first: those are what the device needs most."""
    kept: list[str] = []
    left = bytes_max
    for parcel in reversed(parcels):
        left -= len(parcel.encode())
        if left < 0:
            break
        kept.insert(0, parcel)
    return tuple(kept)


def as_json(answer: Answer) -> Mapping[str, object]:
    """The body of the long poll's answer."""
    return {"cursor": answer.cursor, "parcels": answer.parcels, "alerts": answer.alerts}
