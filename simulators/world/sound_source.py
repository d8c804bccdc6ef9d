"""Where a sound comes from, as far as a horn without samples needs to know: when it is ready, and when it ends.

Stands for `edge/audio/source.py`, `live_source.py`, `stream_feed.py` and the decoder in its child: their waits and
their patience are written down here once more. What is wrong with a device's sound path is in `Defects`, which a
restart does not heal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from edge.core.output import (
    AlertOutput,
    FmOutput,
    LiveOutput,
    MessageOutput,
    MicrophoneOutput,
    Output,
    ProgrammeOutput,
    Rung,
    Silence,
    StreamOutput,
)
from edge.ports import MediaStore
from protocol.clock import MonoMs, Now
from protocol.report import EndReason

NEVER: Final = MonoMs(2**53)
LIVE_GATHER_MS: Final = 1800
LIVE_QUIET_MS: Final = 1400
"""A second without a segment, and no more than half a second held."""
LIVE_STALL_MS: Final = 2000
STREAM_QUIET_MS: Final = 1000
STREAM_HELD_MS: Final = 3000
_STREAM_OPENING_MS: Final = 500
_STREAM_WAIT_MS: Final = 20_000
_PACKET_MS: Final = 20
_AHEAD_MS: Final = 10_000
_AHEAD_STATION_MS: Final = 500


class Flow(StrEnum):
    """How a web radio answers."""

    ON = "on"
    STALLED = "stalled"
    DEAD = "dead"


@dataclass(slots=True)
class Defects:
    """What is wrong with the sound path of a device.

    Attributes:
        metered: whether the board measures at the amplifier's output; a mute meter is no defect, many have none.
        opening_ms: so much longer the decoder takes to open anything; the head of a programme is then cut off.
        opening_fails: it never opens.
        tuner_dead: the FM chip does not answer.
        rotten: media whose bytes are not what they were.
        crackle: sound on the amplifier that nobody ordered; `obeys` when muting ends it.
        card: whether the sound card is there.
    """

    metered: bool = True
    opening_ms: int = 0
    opening_fails: bool = False
    tuner_dead: bool = False
    rotten: set[str] = field(default_factory=set)
    crackle: str = ""
    card: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """What an output would be made of now.

    Attributes:
        ready: when it can sound at the earliest; NEVER as long as that cannot be said.
        fails: there will be nothing; known when it is `ready`.
    """

    ready: MonoMs
    fails: bool = False


class Segments:
    """What has come of the newest live session."""

    def __init__(self) -> None:
        self._session = ""
        self._gathered_at = NEVER
        self.last = MonoMs(0)

    def feed(self, session: str, packets: int, mono: MonoMs) -> None:
        """One segment."""
        if session != self._session or mono - self.last >= LIVE_STALL_MS:
            self._session = session
            self._gathered_at = MonoMs(mono + LIVE_GATHER_MS - packets * _PACKET_MS)
        self.last = mono

    def gathered_at(self, session: str) -> MonoMs:
        """When enough is there to begin."""
        return self._gathered_at if session == self._session else NEVER

    def last_of(self, session: str, began: MonoMs) -> MonoMs:
        """When the last one came; the beginning when none did."""
        return self.last if session == self._session else began


class Sources:
    """Everything sound can come from on one device.

    Args:
        flow: how the web radio at an address answers this device now.
    """

    def __init__(self, store: MediaStore, defects: Defects, flow: Callable[[str], Flow]) -> None:
        self._store, self._defects, self._flow = store, defects, flow
        self.segments = Segments()

    def opened(self, output: Output, *, at: MonoMs, told: MonoMs) -> Source:
        """What becomes of an output that was ordered.

        Args:
            at: when it shall sound; `told` is when it was ordered.
        """
        if isinstance(output, StreamOutput):
            return self._stream(output, MonoMs(max(told, at - _AHEAD_MS)))
        if isinstance(output, LiveOutput):
            return Source(self.segments.gathered_at(output.session_id))
        if isinstance(output, FmOutput):
            return Source(MonoMs(max(told, at - _AHEAD_STATION_MS)), self._defects.tuner_dead)
        if isinstance(output, ProgrammeOutput | MessageOutput):
            begun = MonoMs(max(told, at - _AHEAD_MS))
            missing = self._store.path(output.media.digest) is None
            return Source(MonoMs(begun + self._defects.opening_ms), missing or self._defects.opening_fails)
        return Source(told)

    def _stream(self, output: StreamOutput, begun: MonoMs) -> Source:
        flow = self._flow(output.address)
        if flow is Flow.DEAD:
            return Source(MonoMs(begun + _STREAM_OPENING_MS), fails=True)
        if flow is Flow.STALLED:
            return Source(MonoMs(begun + _STREAM_WAIT_MS), fails=True)
        return Source(MonoMs(begun + _STREAM_OPENING_MS))

    def end_of(self, output: Output, now: Now) -> tuple[MonoMs, EndReason]:
        """When it will have come to its own end if it begins now, and how; a rotten file breaks off half way."""
        if not isinstance(output, ProgrammeOutput | MessageOutput):
            return NEVER, EndReason.SOURCE_FAILED
        left_ms = output.media.duration_ms
        if isinstance(output, ProgrammeOutput):
            left_ms = output.origin + output.media.duration_ms - now.wall
        if output.media.digest in self._defects.rotten:
            return MonoMs(now.mono + max(0, left_ms) // 2), EndReason.SOURCE_FAILED
        return MonoMs(now.mono + left_ms), EndReason.COMPLETE

    def stalls_at(self, output: Output, began: MonoMs, stalled: MonoMs | None) -> tuple[MonoMs, MonoMs]:
        """When what sounds is failing, and when nothing of it will be held any more.

        Args:
            stalled: since when its web radio gives nothing.
        """
        if isinstance(output, LiveOutput):
            last = self.segments.last_of(output.session_id, began)
            return MonoMs(last + LIVE_QUIET_MS), MonoMs(last + LIVE_STALL_MS)
        if isinstance(output, StreamOutput) and stalled is not None:
            return MonoMs(stalled + STREAM_QUIET_MS), MonoMs(stalled + STREAM_HELD_MS)
        return NEVER, NEVER

    def flows(self, output: Output) -> bool:
        """Whether the web radio of an output gives sound; so does everything that is none."""
        return not isinstance(output, StreamOutput) or self._flow(output.address) is Flow.ON

    def reopens(self, output: Output, now: Now) -> bool:
        """Whether what sounded can go on after the sound card was away."""
        if isinstance(output, ProgrammeOutput):
            stored = self._store.path(output.media.digest) is not None and not self._defects.opening_fails
            return stored and output.origin + output.media.duration_ms > now.wall
        if isinstance(output, LiveOutput):
            return now.mono - self.segments.last < LIVE_STALL_MS
        return not (isinstance(output, FmOutput) and self._defects.tuner_dead)


def bridges(current: Output, coming: Output) -> bool:
    """Whether what sounds goes on until what follows is ready (`edge.audio.handover`)."""
    fades = isinstance(current, LiveOutput | StreamOutput) and coming.rung > current.rung
    stands_in = isinstance(current, FmOutput) and current.rung is Rung.FM_FALLBACK
    gathers = isinstance(coming, LiveOutput) and isinstance(current, ProgrammeOutput)
    return fades or gathers or (isinstance(coming, StreamOutput) and stands_in)


def goes_over(current: Output, coming: Output) -> bool:
    """Whether it is an alert whose tone ducks what sounds, instead of ending it."""
    return isinstance(coming, AlertOutput) and not isinstance(current, AlertOutput | MicrophoneOutput | Silence)
