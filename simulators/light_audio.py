"""A sound path without samples, for villages of many devices: the same events at the same times, told by timers.

Whatever sounds measures a nominal -18 dBFS. What a source would be is asked as far as that costs nothing: whether a
programme is stored, whether a live session goes on. Microphone and FM always work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Self

from edge.audio.outbox import Outbox
from edge.core.events import Event, LevelMeasured, SoundEnded, SoundStarted
from edge.core.output import AlertOutput, FmOutput, LiveOutput, Output, ProgrammeOutput, Silence
from edge.ports import Clock, MediaStore
from protocol.clock import MonoMs, WallMs
from protocol.report import LEVEL_SILENCE_CDB, EndReason

NOMINAL_CDB: Final = -1800
_SECOND_MS: Final = 1000
_LIVE_STALL_MS: Final = 2000
_NEVER: Final = MonoMs(2**53)


@dataclass(frozen=True, slots=True)
class _Cue:
    """Attributes: at: what was asked for. begins: when the amplifier lets it through."""

    output: Output
    at: MonoMs
    begins: MonoMs


@dataclass(frozen=True, slots=True)
class _Sound:
    output: Output
    began: MonoMs
    ends: MonoMs
    reason: EndReason


class LightAudio:
    """Implements `edge.ports.Audio`; runs between `start` and `stop`, or as a context."""

    def __init__(self, clock: Clock, store: MediaStore, *, lead_in_ms: int = 700, hold_ms: int = 5000) -> None:
        self._clock = clock
        self._store = store
        self._outbox = Outbox(clock)
        self._lead_in_ms = lead_in_ms
        self._hold_ms = hold_ms
        self._cue: _Cue | None = None
        self._sounds: list[_Sound] = []
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
            self._cue = _Cue(output, at, MonoMs(max(at, now + (self._lead_in_ms if cold else 0))))
        self._wake.set()

    def feed_live(self, session_id: str, counter: int, packets: tuple[bytes, ...]) -> None:
        """See `edge.ports.Audio`."""
        self._fed = (session_id, self._clock.now().mono)

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
            self._end_what_is_over(mono)
            if self._cue is not None and self._cue.begins <= mono:
                cue, self._cue = self._cue, None
                self._begin(cue.output, mono)
            if self._second_at <= mono:
                self._measure(mono)
            await self._sleep()

    async def _sleep(self) -> None:
        until = min([self._second_at, *(self._ends_at(sound) for sound in self._sounds)])
        if self._cue is not None:
            until = min(until, self._cue.begins)
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
        return len(self._sounds) == 1 and isinstance(self._sounds[0].output, ProgrammeOutput | LiveOutput | FmOutput)

    def _sound(self, output: Output, mono: MonoMs) -> None:
        left_ms = self._left_ms(output)
        if left_ms <= 0:
            wall = self._clock.now().wall
            self._outbox.put(SoundEnded(output.key, wall, wall, LEVEL_SILENCE_CDB, EndReason.SOURCE_FAILED))
            return
        reason = EndReason.SOURCE_FAILED if isinstance(output, LiveOutput) else EndReason.COMPLETE
        self._sounds.append(_Sound(output, mono, MonoMs(min(_NEVER, mono + left_ms)), reason))
        self._outbox.put(SoundStarted(output.key, self._clock.now().wall))
        if self._second_at == _NEVER:
            self._second_at = MonoMs(mono + _SECOND_MS)

    def _left_ms(self, output: Output) -> int:
        if not isinstance(output, ProgrammeOutput):
            return _NEVER
        if self._store.path(output.media.digest) is None:
            return 0
        return output.origin + output.media.duration_ms - self._clock.now().wall

    def _ends_at(self, sound: _Sound) -> MonoMs:
        if not isinstance(sound.output, LiveOutput):
            return sound.ends
        session_id, fed_at = self._fed
        fed_at = fed_at if session_id == sound.output.session_id else sound.began
        return MonoMs(min(sound.ends, fed_at + _LIVE_STALL_MS))

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
