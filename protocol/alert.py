"""Emergency, cancel and stop-now: what must sound, or fall silent, at once.

Actual, drill and test are three payload types around the same fields, so one can never be taken for another:
the type is inside the signed bytes (behaviour.md, section 8).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from protocol.bulletin import MediaRef
from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.limits import ALERT_LIFETIME_MS_MAX, ALERT_TEXT_CHARS_MAX, PARTS_MAX, STOP_MS_MAX, TARGETS_MAX
from protocol.schedule import check_targets
from protocol.units import UnitPath, unit_path


class Tone(StrEnum):
    """Attention tones, made on the device from these names."""

    TWO_TONE = "two_tone"
    SWEEP = "sweep"
    CHIME = "chime"


@dataclass(frozen=True, slots=True)
class Part:
    """The message in one language: spoken by the device unless a recording is named and has arrived.

    Attributes:
        language: BCP 47, such as `vi` or `km`.
    """

    language: str
    text: str = field(metadata=bounded(chars_max=ALERT_TEXT_CHARS_MAX))
    media: MediaRef | None = None


def _check_life(issued: WallMs, expires: WallMs) -> None:
    if not 0 < expires - issued <= ALERT_LIFETIME_MS_MAX:
        raise ValueError("an emergency lives between 1 ms and 30 minutes; a longer one is renewed")


@dataclass(frozen=True, slots=True)
class Alert:
    """Attention tone, then each part, then a gap, again until `expires` or a cancel.

    Attributes:
        id: unique for ever; the cancel and the log refer to it.
        sequence: grows with each alert of this scope; replays are known by it.
        severity: 1 (lowest) to 4, as in China's emergency broadcasting message.
        tone_ms: 3 to 10 s; EN 54-16.
        gap_ms: silence before the next round, at most 30 s; EN 54-16.
    """

    scope: UnitPath
    id: str
    sequence: int
    issued: WallMs
    expires: WallMs
    severity: int = field(metadata=bounded(low=1, high=4))
    targets: tuple[UnitPath, ...] = field(metadata=bounded(count_max=TARGETS_MAX))
    parts: tuple[Part, ...] = field(metadata=bounded(count_max=PARTS_MAX))
    tone: Tone = Tone.TWO_TONE
    tone_ms: int = field(default=5000, metadata=bounded(low=3000, high=10_000))
    gap_ms: int = field(default=8000, metadata=bounded(low=1000, high=30_000))

    def __post_init__(self) -> None:
        check_targets(self.targets, unit_path(self.scope))
        _check_life(self.issued, self.expires)
        if not self.parts:
            raise ValueError("an emergency says something in at least one language")


@dataclass(frozen=True, slots=True)
class Cancel:
    """Ends one alert wherever it was sent. Harmless when replayed: it names one alert and alerts end anyway.

    The signer makes it together with the alert, so cancelling is one touch (Hawaii 2018 took 38 minutes).
    """

    scope: UnitPath
    alert_id: str
    issued: WallMs
    expires: WallMs
    targets: tuple[UnitPath, ...] = field(metadata=bounded(count_max=TARGETS_MAX))

    def __post_init__(self) -> None:
        check_targets(self.targets, unit_path(self.scope))
        _check_life(self.issued, self.expires)


@dataclass(frozen=True, slots=True)
class Stop:
    """Silences programmes, live sessions and FM at once, until `until` (a day at most); rungs 1 to 3 still sound."""

    scope: UnitPath
    sequence: int
    issued: WallMs
    expires: WallMs
    until: WallMs
    targets: tuple[UnitPath, ...] = field(metadata=bounded(count_max=TARGETS_MAX))

    def __post_init__(self) -> None:
        check_targets(self.targets, unit_path(self.scope))
        _check_life(self.issued, self.expires)
        if not 0 < self.until - self.issued <= STOP_MS_MAX:
            raise ValueError("a stop lasts between 1 ms and a day")
