"""A sound path without samples, for villages of many devices: the same events at the same times, told by timers.

Whatever sounds measures a nominal -18 dBFS. What a source would be is asked as far as that costs nothing: whether a
programme or message is stored, whether a live session goes on. Microphone and FM always work; web radios do as they
are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final, Self

from edge.audio.outbox import Outbox
from edge.core.events import Event, LevelMeasured, SoundEnded, SoundFailing, SoundRecovered, SoundStarted
from edge.core.output import (
    AlertOutput,
    LiveOutput,
    MessageOutput,
    MicrophoneOutput,
    Output,
    ProgrammeOutput,
    Silence,
    StreamOutput,
)
from edge.ports import Clock, MediaStore
from protocol.clock import MonoMs, WallMs
from protocol.report import LEVEL_SILENCE_CDB, EndReason

NOMINAL_CDB: Final = -1800
_SECOND_MS: Final = 1000
_LIVE_QUIET_MS: Final = 1400
_LIVE_STALL_MS: Final = 2000
_STREAM_HELD_MS: Final = 2000
_OPENING_MS: Final = 500
_NEVER: Final = MonoMs(2**53)


@dataclass(frozen=True, slots=True)
class _Cue:
    """Attributes: at: what was asked for. begins: when the amplifier lets it through. told: when it was asked for."""

    output: Output
    at: MonoMs
    begins: MonoMs
    told: MonoMs


@dataclass(frozen=True, slots=True)
class _Sound:
    output: Output
    began: MonoMs
    ends: MonoMs
    reason: EndReason
    failing: bool = False


class LightAudio:
    """Implements `edge.ports.Audio`; runs between `start` and `stop`, or as a context.

    Attributes:
        dead_streams: addresses where nobody answers; who listens there is cut off a while after `stop_stream`.
    """

    def __init__(self, clock: Clock, store: MediaStore, *, lead_in_ms: int = 700, hold_ms: int = 5000) -> None:
        self._clock = clock
        self._store = store
        self._outbox = Outbox(clock)
        self._lead_in_ms = lead_in_ms
        self._hold_ms = hold_ms
        self._cue: _Cue | None = None
        self._sounds: list[_Sound] = []
        self.dead_streams: set[str] = set()
        self._stopped_at: MonoMs | None = None
        self._fed: tuple[str, MonoMs] = ("", MonoMs(0))
        self._off_at = MonoMs(0)
        self._second_at = _NEVER
        self._muted = False
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts its one timer."""
        self._task = asyncio.create_task(self._run(), name="light audio")

    async def stop(self) -> None:
        """Ends it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def amplified(self) -> bool:
        """Whether the amplifier would be on."""
        return self._powered(self._clock.now().mono) and not self._muted

    def configure(self, *, lead_in_ms: int, hold_ms: int) -> None:
        """Takes the signed times of the amplifier."""
        self._lead_in_ms = lead_in_ms
        self._hold_ms = hold_ms

    async def switch(self, output: Output, *, at: MonoMs) -> None:
        """See `edge.ports.Audio`."""
        if self._key == output.key:
            self._cue = None
        elif self._cue is None or (self._cue.output.key, self._cue.at) != (output.key, at):
            now = self._clock.now().mono
            cold = not isinstance(output, Silence) and not self._powered(now)
            self._cue = _Cue(output, at, MonoMs(max(at, now + (self._lead_in_ms if cold else 0))), now)
        self._wake.set()

    def feed_live(self, session_id: str, counter: int, packets: tuple[bytes, ...]) -> None:
        """See `edge.ports.Audio`."""
        self._fed = (session_id, self._clock.now().mono)

    def stop_stream(self) -> None:
        """Web radios give nothing from now on."""
        self._stopped_at = self._clock.now().mono
        self._wake.set()

    def resume_stream(self) -> None:
        """They go on."""
        self._stopped_at = None
        self._wake.set()

    async def mute(self, muted: bool) -> None:
        """See `edge.ports.Audio`."""
        self._muted = muted

    def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.Audio`."""
        return self._outbox.events()

    @property
    def _key(self) -> str:
        return self._sounds[-1].output.key if self._sounds else Silence().key

    def _powered(self, mono: MonoMs) -> bool:
        return bool(self._sounds) or mono < self._off_at

    async def _run(self) -> None:
        while True:
            mono = self._clock.now().mono
            self._tell_failing(mono)
            self._end_what_is_over(mono)
            self._drop_broken(mono)
            if self._cue is not None and self._cue.begins <= mono:
                cue, self._cue = self._cue, None
                self._begin(cue.output, mono)
            if self._second_at <= mono:
                self._measure(mono)
            await self._sleep()

    async def _sleep(self) -> None:
        until = min([self._second_at, *(self._ends_at(sound) for sound in self._sounds)])
        until = min([until, *(self._fails_at(sound) for sound in self._sounds if not sound.failing)])
        if self._cue is not None:
            broken_at = MonoMs(self._cue.told + _OPENING_MS) if self._is_broken() else _NEVER
            until = min(until, self._cue.begins, broken_at)
        left_ms = until - self._clock.now().mono
        self._wake.clear()
        try:
            async with asyncio.timeout(None if until == _NEVER else max(1, left_ms) / 1000):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _begin(self, output: Output, mono: MonoMs) -> None:
        ducks = isinstance(output, AlertOutput) and self._may_be_ducked()
        for sound in () if ducks else tuple(self._sounds):
            self._end(sound, mono, EndReason.SUPERSEDED)
        if isinstance(output, Silence):
            return
        if isinstance(output, AlertOutput) and ducks:
            under = self._sounds[-1]
            self._sounds = [_Sound(under.output, under.began, MonoMs(mono + output.tone_ms), EndReason.SUPERSEDED)]
        self._sound(output, mono)

    def _may_be_ducked(self) -> bool:
        return len(self._sounds) == 1 and not isinstance(self._sounds[0].output, AlertOutput | MicrophoneOutput)

    def _sound(self, output: Output, mono: MonoMs) -> None:
        left_ms = self._left_ms(output)
        if left_ms <= 0:
            wall = self._clock.now().wall
            self._outbox.put(SoundEnded(output.key, wall, wall, LEVEL_SILENCE_CDB, EndReason.SOURCE_FAILED))
            return
        failed = isinstance(output, LiveOutput | StreamOutput)
        reason = EndReason.SOURCE_FAILED if failed else EndReason.COMPLETE
        self._sounds.append(_Sound(output, mono, MonoMs(min(_NEVER, mono + left_ms)), reason))
        self._outbox.put(SoundStarted(output.key, self._clock.now().wall))
        if self._second_at == _NEVER:
            self._second_at = MonoMs(mono + _SECOND_MS)

    def _left_ms(self, output: Output) -> int:
        if isinstance(output, StreamOutput):
            return 0 if output.address in self.dead_streams else _NEVER
        if not isinstance(output, ProgrammeOutput | MessageOutput):
            return _NEVER
        if self._store.path(output.media.digest) is None:
            return 0
        if isinstance(output, MessageOutput):
            return output.media.duration_ms
        return output.origin + output.media.duration_ms - self._clock.now().wall

    def _ends_at(self, sound: _Sound) -> MonoMs:
        if isinstance(sound.output, StreamOutput) and self._stopped_at is not None:
            return MonoMs(self._stopped_at + _SECOND_MS + _STREAM_HELD_MS)
        if not isinstance(sound.output, LiveOutput):
            return sound.ends
        return MonoMs(min(sound.ends, self._fed_at(sound, sound.output) + _LIVE_STALL_MS))

    def _fed_at(self, sound: _Sound, output: LiveOutput) -> MonoMs:
        session_id, fed_at = self._fed
        return fed_at if session_id == output.session_id else sound.began

    def _fails_at(self, sound: _Sound) -> MonoMs:
        """When its source will have given nothing for too long."""
        if isinstance(sound.output, LiveOutput):
            return MonoMs(self._fed_at(sound, sound.output) + _LIVE_QUIET_MS)
        stopped = isinstance(sound.output, StreamOutput) and self._stopped_at is not None
        return MonoMs((self._stopped_at or 0) + _SECOND_MS) if stopped else _NEVER

    def _tell_failing(self, mono: MonoMs) -> None:
        for index, sound in enumerate(self._sounds):
            failing = self._fails_at(sound) <= mono
            if failing != sound.failing:
                self._sounds[index] = replace(sound, failing=failing)
                self._outbox.put((SoundFailing if failing else SoundRecovered)(sound.output.key))

    def _is_broken(self) -> bool:
        output = self._cue.output if self._cue is not None else None
        return isinstance(output, StreamOutput) and output.address in self.dead_streams

    def _drop_broken(self, mono: MonoMs) -> None:
        """A stream that cannot be had is told before its second."""
        if self._cue is not None and self._is_broken() and self._cue.told + _OPENING_MS <= mono:
            cue, self._cue = self._cue, None
            wall = self._clock.now().wall
            self._outbox.put(SoundEnded(cue.output.key, wall, wall, LEVEL_SILENCE_CDB, EndReason.SOURCE_FAILED))

    def _end_what_is_over(self, mono: MonoMs) -> None:
        for sound in tuple(self._sounds):
            if self._ends_at(sound) <= mono:
                self._end(sound, mono, sound.reason)

    def _end(self, sound: _Sound, mono: MonoMs, reason: EndReason) -> None:
        self._sounds.remove(sound)
        wall = self._clock.now().wall
        began = WallMs(wall - (mono - sound.began))
        self._outbox.put(SoundEnded(sound.output.key, began, wall, NOMINAL_CDB, reason))
        self._off_at = MonoMs(mono + self._hold_ms)

    def _measure(self, mono: MonoMs) -> None:
        self._second_at = MonoMs(self._second_at + _SECOND_MS) if self._powered(mono) else _NEVER
        if self.amplified:
            level = NOMINAL_CDB if self._sounds else LEVEL_SILENCE_CDB
            self._outbox.put(LevelMeasured(self._clock.now().wall, level))
