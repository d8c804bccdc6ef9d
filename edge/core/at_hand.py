"""What people at the device have begun: talk, stored messages, a stop, a stick."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, WallMs


@dataclass(frozen=True, slots=True)
class Talk:
    """The talk button is down."""

    since: MonoMs
    emergency: bool


@dataclass(frozen=True, slots=True)
class StoredSpeech:
    """A stored message that was asked for by its button and has not ended.

    Attributes:
        document: digest of the signed configuration that names it.
    """

    number: int
    media: MediaRef
    document: str
    since: MonoMs


@dataclass(frozen=True, slots=True)
class StopMark:
    """Rungs 4 to 8 are silent until then."""

    until: WallMs
    by: str


@dataclass(frozen=True, slots=True)
class StickSeen:
    """A stick with a bundle was put in; `useful` when something on it is obeyed."""

    at: MonoMs
    useful: bool
