"""The sound path without samples: what the engine would do and tell at the same instants, by one timer.

Stands for `edge/audio/engine.py` with all below it, and keeps the same contract (`tests/contracts/sound`): a cue that
is got ready ahead, the amplifier's lead-in and hold, an alert over what it ducks, a lost card that is looked for, and
the words in which all that is told. Levels come from `horn_level`; what is really heard is told by `speaker`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import Context, copy_context
from typing import Final, Self

from edge.audio.outbox import Outbox
from edge.core.events import (
    CardChanged,
    Event,
    SoundEnded,
    SoundFailing,
    SoundRecovered,
    SoundStarted,
)
from edge.core.output import AlertOutput, Output, Silence
from edge.ports import Clock, MediaStore
from protocol.clock import MonoMs, Now, WallMs
from protocol.report import LEVEL_SILENCE_CDB, EndReason
from simulators.world.horn_level import NOMINAL_CDB, HornLevel, Measured
from simulators.world.horn_parts import Cue, HornAmplifier, HornCard, Sounding
from simulators.world.sound_source import NEVER, Defects, Flow, Sources, bridges, goes_over
from simulators.world.speaker import Block, Heard, Speaker

__all__ = ["Heard", "WorldHorn"]

_SECOND_MS: Final = 1000


class WorldHorn:
    """Implements `edge.ports.Audio`.

    Args:
        flow: how a web radio answers this device.
        level_ms: so often a level is told while the amplifier is on.
    """

    def __init__(
        self,
        clock: Clock,
        store: MediaStore,
        *,
        speaker: Speaker,
        defects: Defects | None = None,
        flow: Callable[[str], Flow] = lambda _: Flow.ON,
        level_ms: int = _SECOND_MS,
    ) -> None:
        self._clock, self._speaker = clock, speaker
        self._defects = defects or Defects()
        self._sources = Sources(store, self._defects, flow)
        self._level = HornLevel(speaker, self._defects, level_ms)
        self._outbox = Outbox(clock)
        self._loop = asyncio.get_running_loop()
        self._context: Context = copy_context()
        self._amplifier, self._card = HornAmplifier(), HornCard()
        self._cue: Cue | None = None
        self._sounds: list[Sounding] = []
        self._hung = False
        self._handle: asyncio.TimerHandle | None = None
        self._handle_at = NEVER

    async def __aenter__(self) -> Self:
        self.look()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.go_dark()

    def go_dark(self) -> None:
        """The process is gone."""
        self._hung = True
        if self._handle is not None:
            self._handle.cancel()
        self._speaker.go_dark()

    # What it is told.

    def configure(self, *, lead_in_ms: int, hold_ms: int) -> None:
        """Takes the signed times of the amplifier."""
        self._amplifier.lead_in_ms, self._amplifier.hold_ms = lead_in_ms, hold_ms

    async def switch(self, output: Output, *, at: MonoMs) -> None:
        """See `edge.ports.Audio`."""
        current, cue = self._current, self._cue
        if current.key == output.key:
            self._cue = None
        elif cue is None or (cue.output.key, cue.at) != (output.key, at):
            self._cue = Cue(output, at, self._clock.now().mono)
            if not isinstance(output, Silence):
                self._amplifier.warm(at, self._cue.told)
        self.look()

    def feed_live(self, session_id: str, counter: int, packets: tuple[bytes, ...]) -> None:
        """See `edge.ports.Audio`."""
        self._sources.segments.feed(session_id, len(packets), self._clock.now().mono)
        self.look()

    async def mute(self, muted: bool) -> None:
        """See `edge.ports.Audio`."""
        self._amplifier.muted = muted
        self._speaker.block(Block.MUTED, muted)
        self.look()

    def hang(self, hung: bool) -> None:
        """The process stands still, or goes on: what sounded goes on where it would be now."""
        self._hung = hung
        self._speaker.block(Block.HUNG, hung)
        if not hung:
            self.look()

    def break_off(self) -> None:
        """The decoder of a file gives nothing more; that is noticed after a while."""
        for sound in self._sounds:
            if sound.ends != NEVER:
                self._speaker.block(Block.DECODER, True)
                sound.ends = min(sound.ends, MonoMs(self._clock.now().mono + _SECOND_MS))
                sound.reason = EndReason.SOURCE_FAILED
        self.look()

    def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.Audio`."""
        return self._outbox.events()

    @property
    def _current(self) -> Output:
        return self._sounds[-1].output if self._sounds else Silence()

    # What follows.

    def look(self) -> None:
        """Something has changed, or an instant has come."""
        if self._hung:
            return
        now = self._clock.now()
        self._account(now.mono)
        if self._find_card(now):
            self._tell_failing(now.mono)
            self._end_what_is_over(now)
            self._follow(now)
            comes = self._cue is not None and not isinstance(self._cue.output, Silence)
            self._amplifier.follow(now.mono, sounds=bool(self._sounds), comes=comes)
            self._measure(now)
        self._plan(now.mono)

    def _account(self, mono: MonoMs) -> None:
        for sound in self._sounds:
            if self._level.is_measured(sound.output):
                sound.loud_ms += mono - sound.looked
            sound.looked = mono

    # The card.

    def _find_card(self, now: Now) -> bool:
        """Whether the pump runs: a card that is gone is noticed when something is written to it."""
        busy = bool(self._sounds) or self._amplifier.runs(now.mono)
        news = self._card.find(now.mono, there=self._defects.card, busy=busy)
        if news is not None:
            self._outbox.put(CardChanged(news))
            (self._reopen if news else self._lose)(now)
        if self._card.away and self._sounds and self._cue is not None and self._cue.at <= now.mono:
            self._end_all(now, EndReason.SUPERSEDED)
        return not self._card.away

    def _lose(self, _: Now) -> None:
        self._amplifier.release()
        self._level.stop()

    def _reopen(self, now: Now) -> None:
        for sound in tuple(self._sounds):
            if not self._sources.reopens(sound.output, now):
                self._end(sound, now, EndReason.INTERRUPTED)
        if self._sounds or self._cue is not None:
            at = self._cue.at if self._cue is not None and not self._sounds else now.mono
            self._amplifier.warm(at, now.mono)

    # Sounds.

    def _tell_failing(self, mono: MonoMs) -> None:
        for sound in self._sounds:
            if self._sources.flows(sound.output):
                sound.stalled = None
            elif sound.stalled is None:
                sound.stalled = mono
            failing = self._sources.stalls_at(sound.output, sound.began.mono, sound.stalled)[0] <= mono
            if failing != sound.failing:
                sound.failing = failing
                self._outbox.put((SoundFailing if failing else SoundRecovered)(sound.output.key))

    def _ends_at(self, sound: Sounding) -> MonoMs:
        return min(sound.ends, self._sources.stalls_at(sound.output, sound.began.mono, sound.stalled)[1])

    def _end_what_is_over(self, now: Now) -> None:
        for sound in tuple(self._sounds):
            if self._ends_at(sound) <= now.mono:
                self._end(sound, now, sound.reason)

    def _end_all(self, now: Now, reason: EndReason) -> None:
        for sound in tuple(self._sounds):
            self._end(sound, now, reason)

    def _end(self, sound: Sounding, now: Now, reason: EndReason) -> None:
        self._sounds.remove(sound)
        began, ended = sound.began.wall, WallMs(max(sound.began.wall, now.wall))
        measured = self._level.mean_cdb(sound.loud_ms / max(1, now.mono - sound.began.mono))
        self._outbox.put(SoundEnded(sound.output.key, began, ended, NOMINAL_CDB, reason, measured))
        self._speaker.end(sound.output, reason)
        self._speaker.block(Block.DECODER, False)

    def _follow(self, now: Now) -> None:
        cue = self._cue
        if cue is None:
            return
        source = self._sources.opened(cue.output, at=cue.at, told=cue.told)
        if source.fails and source.ready <= now.mono and not self._sources.flows(cue.output):
            self._fail(cue, now)
            return
        if cue.at > now.mono:
            return
        current, ready = self._current, source.ready <= now.mono
        over = goes_over(current, cue.output)
        if self._sounds and not over and (ready or not bridges(current, cue.output)):
            self._end_all(now, EndReason.SUPERSEDED)
        if isinstance(cue.output, Silence):
            self._cue = None
        elif ready and self._amplifier.ready_at(now.mono) <= now.mono:
            if source.fails:
                self._end_all(now, EndReason.SUPERSEDED)
                self._fail(cue, now)
            else:
                self._begin(cue.output, now, over=over)

    def _fail(self, cue: Cue, now: Now) -> None:
        self._cue, key = None, cue.output.key
        self._outbox.put(SoundEnded(key, now.wall, now.wall, LEVEL_SILENCE_CDB, EndReason.SOURCE_FAILED))

    def _begin(self, output: Output, now: Now, *, over: bool) -> None:
        self._cue = None
        ends, reason = self._sources.end_of(output, now)
        if ends <= now.mono:
            self._end_all(now, EndReason.SUPERSEDED)
            self._fail(Cue(output, now.mono, now.mono), now)
            return
        if over and isinstance(output, AlertOutput):
            under = self._sounds[-1]
            for other in self._sounds[:-1]:
                self._end(other, now, EndReason.SUPERSEDED)
            under.ends, under.reason = MonoMs(now.mono + output.tone_ms), EndReason.SUPERSEDED
        self._sounds.append(Sounding(output, now, ends, reason, now.mono))
        self._outbox.put(SoundStarted(output.key, now.wall))
        self._speaker.begin(output)

    def _measure(self, now: Now) -> None:
        outputs = tuple(sound.output for sound in self._sounds)
        measured = Measured(outputs, self._amplifier.is_on(now.mono), self._amplifier.muted)
        level = self._level.measure(now, measured)
        if level is not None:
            self._outbox.put(level)

    # When to look again.

    def _plan(self, mono: MonoMs) -> None:
        until = min(self._instants(mono))
        if self._handle is not None:
            if until == self._handle_at and self._handle_at > mono:
                return
            self._handle.cancel()
            self._handle = None
        self._handle_at = until
        if until < NEVER:
            wait_s = max(1, until - mono) / 1000
            self._handle = self._loop.call_later(wait_s, self._wake, context=self._context)

    def _wake(self) -> None:
        """Its instant has come, or nearly: a crystal's millisecond may not be over yet."""
        self._handle = None
        self.look()

    def _instants(self, mono: MonoMs) -> list[MonoMs]:
        cue, found = self._cue, [self._card.missed_at]
        if self._card.away:
            return [*found, cue.at] if cue is not None and self._sounds else found
        found += [self._level.due, self._amplifier.off_at]
        for sound in self._sounds:
            fails, ends = self._sources.stalls_at(sound.output, sound.began.mono, sound.stalled)
            found += [sound.ends, ends if sound.failing else fails]
        if cue is not None:
            source = self._sources.opened(cue.output, at=cue.at, told=cue.told)
            begins = MonoMs(max(cue.at, source.ready, self._amplifier.ready_at(mono)))
            found += [one for one in (cue.at, begins, source.ready if source.fails else NEVER) if one > mono]
        return found
