"""How a device is, graded, and how far a document has come on it. Pure.

A retained "online" is what a broker remembers, not what is true: only a fresh status makes a device online (pain 19).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protocol.clock import WallMs
from protocol.report import Receipt, Standing

HEARTBEAT_MS: Final = 60_000
DEMO_HEARTBEAT_MS: Final = 5_000
"""The demo's devices tell every two seconds; a busy machine is forgiven a little."""
FRESH_HEARTBEATS: Final = 2
LOST_HEARTBEATS: Final = 5


class Reach(StrEnum):
    """How well a device is known to be alive."""

    ONLINE = "online"
    QUIET = "quiet"
    LOST = "lost"
    NEW = "new"


def reach(*, link_up: bool, seen: WallMs | None, now: WallMs, heartbeat_ms: int) -> Reach:
    """Grades a device by its link and by the age of its last word.

    Args:
        seen: when the controller last received a status, by the controller's clock; None for never. If that clock was
            set back since, nobody knows how long ago it was: the device is lost until it speaks again.
    """
    if seen is None:
        return Reach.NEW
    age_ms = now - seen
    if not -heartbeat_ms < age_ms < LOST_HEARTBEATS * heartbeat_ms:
        return Reach.LOST
    if link_up and age_ms < FRESH_HEARTBEATS * heartbeat_ms:
        return Reach.ONLINE
    return Reach.QUIET


class Delivery(StrEnum):
    """The truth about one document on one device, also when the device says nothing."""

    QUEUED = "queued"
    RECEIVED = "received"
    READY = "ready"
    SOUNDING = "sounding"
    HEARD = "heard"
    UNHEARD = "unheard"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    NO_WORD = "no_word"


def delivery(standing: Standing | str | None, *, expires: WallMs | None, now: WallMs) -> Delivery:
    """What is known; a document that ended while the device was silent never came, as far as anyone knows."""
    if standing is not None:
        return Delivery(str(standing))
    return Delivery.NO_WORD if expires is not None and now >= expires else Delivery.QUEUED


_PROGRESS: Final = {
    Standing.REFUSED: 0,
    Standing.RECEIVED: 1,
    Standing.READY: 2,
    Standing.SOUNDING: 3,
    Standing.HEARD: 4,
    Standing.UNHEARD: 4,
    Standing.CANCELLED: 5,
}
_ENDED: Final = frozenset({Standing.HEARD, Standing.UNHEARD})
_OCCURRENCE: Final = frozenset({Standing.SOUNDING, Standing.HEARD, Standing.UNHEARD})


@dataclass(frozen=True, slots=True)
class Known:
    """The standing that is stored."""

    standing: Standing
    wall: WallMs


def advances(known: Known | None, receipt: Receipt) -> bool:
    """Whether a receipt says more than what is stored. Receipts arrive late, twice and out of order.

    A refusal never undoes progress: the second copy of an alert is refused as a replay while the first one sounds.
    A refused document that is accepted later (the clock became right) moves on, and an item that was heard sounds
    again at its next occurrence.
    """
    if known is None:
        return True
    new = receipt.standing
    if known.standing is Standing.REFUSED:
        return receipt.wall > known.wall
    if new is Standing.REFUSED:
        return known.standing is Standing.RECEIVED and receipt.wall >= known.wall
    if known.standing in _ENDED and new in _OCCURRENCE and receipt.item is not None:
        return receipt.wall > known.wall
    return _PROGRESS[new] > _PROGRESS[known.standing]


def furthest(receipts: Iterable[Receipt], known: Known | None) -> Receipt | None:
    """The receipt that is to be stored after all of one key were looked at, or None when nothing is new."""
    kept: Receipt | None = None
    for receipt in receipts:
        if advances(known, receipt):
            kept, known = receipt, Known(receipt.standing, receipt.wall)
    return kept
