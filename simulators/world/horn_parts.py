"""The card and the amplifier of a horn without samples, when the one is missed and the other is on; what is to sound.

Stands for `edge/audio/amplifier_line.py` and for the engine's look-out for a lost card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge.core.output import Output
from protocol.clock import MonoMs, Now
from protocol.report import EndReason
from simulators.world.sound_source import NEVER

_PROBE_MS: Final = 12_500
"""A card that is lost while nothing sounds is found by the next frame of silence, which comes every 25 s."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Attributes: at: what was asked for. told: when it was asked for."""

    output: Output
    at: MonoMs
    told: MonoMs


@dataclass(slots=True)
class Sounding:
    """Attributes: looked, loud_ms: how long it was measured at the amplifier, until when. stalled: its web radio."""

    output: Output
    began: Now
    ends: MonoMs
    reason: EndReason
    looked: MonoMs
    loud_ms: int = 0
    failing: bool = False
    stalled: MonoMs | None = None


class HornAmplifier:
    """Its enable line.

    Attributes:
        lead_in_ms: from switching on until sound comes through.
        hold_ms: how long it stays on after the last sound.
        off_at: when that will be over.
    """

    def __init__(self) -> None:
        self.lead_in_ms, self.hold_ms = 700, 5000
        self.muted = False
        self._on_since: MonoMs | None = None
        self.off_at = NEVER

    def is_on(self, mono: MonoMs) -> bool:
        """Whether the line is on."""
        return self._on_since is not None and self._on_since <= mono and not self.muted

    def runs(self, mono: MonoMs) -> bool:
        """Whether it would be on but for a mute."""
        return self._on_since is not None and self._on_since <= mono

    def ready_at(self, mono: MonoMs) -> MonoMs:
        """When sound can come through; a mute does not hold it up."""
        if self.muted:
            return mono
        return NEVER if self._on_since is None else MonoMs(self._on_since + self.lead_in_ms)

    def warm(self, at: MonoMs, mono: MonoMs) -> None:
        """Something shall sound at an instant; it is switched on in time for that."""
        if not self.runs(mono):
            self._on_since = MonoMs(max(mono, at - self.lead_in_ms))

    def release(self) -> None:
        """Off without a hold time."""
        self._on_since, self.off_at = None, NEVER

    def follow(self, mono: MonoMs, *, sounds: bool, comes: bool) -> None:
        """Goes off when its hold time is over."""
        if sounds:
            self.off_at = NEVER
            self.warm(mono, mono)
        elif comes:
            return
        elif self._on_since is not None and self._on_since > mono:
            self.release()
        elif self._on_since is not None and self.off_at == NEVER:
            self.off_at = MonoMs(mono + self.hold_ms)
        elif mono >= self.off_at:
            self.release()


class HornCard:
    """Whether the engine's pump runs.

    Attributes:
        away: it was missed; nothing is rendered until it is back.
        missed_at: when it will be missed; NEVER while it is there.
    """

    def __init__(self) -> None:
        self.away = False
        self.missed_at = NEVER

    def find(self, mono: MonoMs, *, there: bool, busy: bool) -> bool | None:
        """Whether something about it is news: True when it came back, False when it was missed now."""
        if there:
            self.missed_at = NEVER
            came, self.away = self.away, False
            return True if came else None
        if self.missed_at == NEVER and not self.away:
            self.missed_at = MonoMs(mono + (0 if busy else _PROBE_MS))
        if self.missed_at <= mono:
            self.away, self.missed_at = True, NEVER
            return False
        return None
