"""The sound path: one output at a time, each from its exact sample on.

One task, the pump, renders a frame, writes it to the card and is paced by it. It looks at the clock once a frame and
turns instants into samples, so a switch happens inside a frame, not at its edge. When nothing sounds and the
amplifier is off, the pump sleeps.

A switch first becomes a cue: its source is opened and read ahead while the old sound goes on. The old sound has faded
out at the cue's instant, and the new one begins there; when its source or the amplifier is not ready yet, it begins
as soon as they are. Only an alert is put over a programme, live session or FM, which goes on ducked under its tone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final, Self

from edge.audio import tone
from edge.audio.amplifier_line import AmplifierLine
from edge.audio.bus import Bus, Ended
from edge.audio.card_clock import CardClock, Line
from edge.audio.cue import Cue
from edge.audio.fader import RAMP_SAMPLES
from edge.audio.feed import Feed
from edge.audio.level import SecondMeter
from edge.audio.outbox import Outbox
from edge.audio.source import Audible, Opened, SourceOpener
from edge.audio.track import Track
from edge.core.events import CardChanged, Event, LevelMeasured, SoundEnded, SoundStarted
from edge.core.output import AlertOutput, FmOutput, LiveOutput, Output, ProgrammeOutput, Silence
from edge.ports import SAMPLE_RATE, SILENT_FRAME, Amplifier, CardLostError, Clock, Meter, PortError, SoundCard
from protocol.clock import MonoMs
from protocol.report import LEVEL_SILENCE_CDB, EndReason

LEAD_IN_MS: Final = 700
HOLD_MS: Final = 5000
_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000
_CARD_START_MS: Final = 300
"""The card runs this long before a planned start, so its clock is known."""
_CARD_RETRY_MS: Final = 500
_CARD_PROBE_MS: Final = 25_000
"""A card that is lost while nothing sounds is known within the 30 s of behaviour.md, section 7."""
_METER_POLL_MS: Final = 5000
_UNEXPECTED_CDB: Final = -6000

_log = logging.getLogger(__name__)


class Engine:
    """Implements `edge.ports.Audio`; runs between `start` and `stop`, or as a context."""

    def __init__(
        self,
        *,
        clock: Clock,
        card: SoundCard,
        amplifier: Amplifier,
        meter: Meter,
        opener: SourceOpener,
        lead_in_ms: int = LEAD_IN_MS,
        hold_ms: int = HOLD_MS,
    ) -> None:
        self._clock = clock
        self._card = card
        self._meter = meter
        self._opener = opener
        self._amplifier = AmplifierLine(amplifier, clock, lead_in_ms=lead_in_ms, hold_ms=hold_ms)
        self._bus = Bus()
        self._card_clock = CardClock()
        self._seconds = SecondMeter()
        self._outbox = Outbox()
        self._cue: Cue | None = None
        self._wake = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._started: list[Event] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Makes the tones and starts the pump."""
        await asyncio.get_running_loop().run_in_executor(None, tone.prepare)
        self._pump = asyncio.create_task(self._run(), name="sound pump")

    async def stop(self) -> None:
        """Silences everything and ends every task."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])
        await self._amplifier.release()
        self._drop_cue()
        self._bus.cut(EndReason.INTERRUPTED)
        self._close_ended(self._bus.take_ended())
        if self._closing:
            await asyncio.wait(self._closing)

    def configure(self, *, lead_in_ms: int, hold_ms: int) -> None:
        """Takes the signed times of the amplifier; they count from its next change."""
        self._amplifier.lead_in_ms = lead_in_ms
        self._amplifier.hold_ms = hold_ms

    async def switch(self, output: Output, *, at: MonoMs) -> None:
        """See `edge.ports.Audio`."""
        if self._sounds(output) or (isinstance(output, Silence) and not self._bus.sounding):
            self._drop_cue()
            return
        if self._cue is not None and self._cue.same(output, at):
            return
        self._drop_cue()
        self._cue = Cue(output, at, opener=self._opener, clock=self._clock, ready_at=self._amplifier.ready_at)
        self._wake.set()

    def feed_live(self, session_id: str, counter: int, packets: tuple[bytes, ...]) -> None:
        """See `edge.ports.Audio`."""
        self._opener.feed_live(session_id, counter, packets)

    async def mute(self, muted: bool) -> None:
        """See `edge.ports.Audio`."""
        await self._amplifier.mute(muted)

    def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.Audio`."""
        return self._outbox.events()

    # The pump.

    async def _run(self) -> None:
        while True:
            try:
                if self._at_rest():
                    await self._rest()
                await self._frame()
            except CardLostError as error:
                _log.warning("the sound card is lost: %s", error)
                await self._await_card()

    async def _frame(self) -> None:
        now = self._clock.now()
        line = Line(now, self._bus.position, self._card_clock.heard_ms(now.mono, self._card.delay_ms()))
        await self._amplifier.follow(wanted=self._wants_amplifier(now.mono))
        self._follow_cue(line)
        frame = self._bus.render()
        self._tell(line)
        await self._card.write(frame)
        self._measure(frame)

    def _wants_amplifier(self, now: MonoMs) -> bool:
        cue = self._cue
        soon = cue is not None and not isinstance(cue.output, Silence) and now >= cue.at - self._amplifier.lead_in_ms
        return self._bus.sounding or soon

    def _follow_cue(self, line: Line) -> None:
        """Lets the cue happen if its time lies in the coming frame."""
        cue = self._cue
        if cue is None:
            return
        at = line.position_at(cue.at)
        if not self._goes_over(cue) and at - RAMP_SAMPLES < line.end and self._bus.sounding:
            self._bus.leave(max(at, line.position + RAMP_SAMPLES))
        ready = line.position_at(self._amplifier.ready_at(line.now.mono))
        begin = max(at, line.position, self._leaves_at(cue))
        if isinstance(cue.output, Silence):
            if begin < line.end:
                self._cue = None
        elif max(begin, ready) < line.end:
            self._begin(cue, cue.output, begin=max(begin, ready), line=line)

    def _leaves_at(self, cue: Cue) -> int:
        return 0 if self._goes_over(cue) else self._bus.leaves_at

    def _goes_over(self, cue: Cue) -> bool:
        """Whether the alert's tone ducks what sounds, instead of ending it."""
        current = self._bus.current
        return (
            isinstance(cue.output, AlertOutput)
            and current is not None
            and isinstance(current.output, ProgrammeOutput | LiveOutput | FmOutput)
            and current.leaves_at is None
        )

    def _begin(self, cue: Cue, output: Audible, *, begin: int, line: Line) -> None:
        try:
            opened = cue.take()
        except PortError as error:
            self._fail(cue, error, line=line)
            return
        if opened is None:
            return
        position = cue.place(opened, begin=begin, line=line)
        if position is None:
            self._close(opened.feed)
        elif position >= line.end:
            cue.put_back(opened)
        else:
            self._enter(output, opened, position=position, line=line)

    def _enter(self, output: Audible, opened: Opened, *, position: int, line: Line) -> None:
        track = Track(output, opened.feed, began=line.wall_at(position))
        if self._cue is not None and self._goes_over(self._cue) and isinstance(output, AlertOutput):
            self._bus.enter_over(track, position, tone_samples=output.tone_ms * _SAMPLES_PER_MS)
        else:
            self._bus.enter(track, position)
        self._cue = None
        self._started.append(SoundStarted(output.key, track.began))

    def _fail(self, cue: Cue, error: PortError, *, line: Line) -> None:
        _log.warning("%s has no sound: %s", cue.output.key, error)
        wall = line.now.wall
        self._started.append(SoundEnded(cue.output.key, wall, wall, LEVEL_SILENCE_CDB, EndReason.SOURCE_FAILED))
        self._cue = None

    # Telling.

    def _tell(self, line: Line) -> None:
        ended = self._bus.take_ended()
        for end in ended:
            self._outbox.put(self._sound_ended(end, line))
        self._close_ended(ended)
        for event in self._started:
            self._outbox.put(event)
        self._started.clear()

    def _sound_ended(self, end: Ended, line: Line) -> SoundEnded:
        track = end.track
        return SoundEnded(
            key=track.output.key,
            began=track.began,
            wall=max(track.began, line.wall_at(end.position)),
            level_cdb=track.loudness.level_cdb,
            reason=end.reason,
            output_level_cdb=track.output_power.level_cdb,
        )

    def _measure(self, frame: bytes) -> None:
        level = self._seconds.add(frame)
        if level is None:
            return
        measured = self._meter.level_cdb()
        if self._bus.current is not None and measured is not None:
            self._bus.current.output_power.add(measured)
        if self._amplifier.on or _unexpected(measured):
            self._outbox.put(LevelMeasured(self._clock.now().wall, level, measured))

    # Rest.

    def _at_rest(self) -> bool:
        return not self._bus.sounding and not self._amplifier.on and not self._cue_near()

    def _cue_near(self) -> bool:
        return self._cue is not None and self._cue_wakes_at(self._cue) <= self._clock.now().mono

    def _cue_wakes_at(self, cue: Cue) -> MonoMs:
        return MonoMs(cue.at - max(self._amplifier.lead_in_ms, _CARD_START_MS))

    async def _rest(self) -> None:
        await self._card.drain()
        self._card_clock.reset()
        probe_at = MonoMs(self._clock.now().mono + _CARD_PROBE_MS)
        poll_ms = _METER_POLL_MS
        while self._at_rest():
            await self._sleep(min(probe_at, MonoMs(self._clock.now().mono + poll_ms)))
            poll_ms = self._look_at_meter()
            if self._clock.now().mono >= probe_at:
                await self._card.write(SILENT_FRAME)
                await self._card.drain()
                probe_at = MonoMs(self._clock.now().mono + _CARD_PROBE_MS)

    async def _sleep(self, until: MonoMs) -> None:
        """Returns when a switch came, the cue is near, or the time has come."""
        self._wake.clear()
        if self._cue is not None:
            until = min(until, self._cue_wakes_at(self._cue))
        try:
            await asyncio.wait_for(self._wake.wait(), max(0, until - self._clock.now().mono) / 1000)
        except TimeoutError:
            pass

    def _look_at_meter(self) -> int:
        """Tells of sound that nobody ordered; returns when to look again, in ms."""
        measured = self._meter.level_cdb()
        if not _unexpected(measured):
            return _METER_POLL_MS
        self._outbox.put(LevelMeasured(self._clock.now().wall, LEVEL_SILENCE_CDB, measured))
        return 1000

    # A lost card.

    async def _await_card(self) -> None:
        self._outbox.put(CardChanged(present=False))
        await self._amplifier.release()
        while not await self._card_answers():
            self._cut_what_is_over()
            await self._clock.sleep_until(MonoMs(self._clock.now().mono + _CARD_RETRY_MS))
        self._card_clock.reset()
        self._outbox.put(CardChanged(present=True))
        await self._reopen_current()

    async def _card_answers(self) -> bool:
        try:
            await self._card.write(SILENT_FRAME)
        except CardLostError:
            return False
        return True

    def _cut_what_is_over(self) -> None:
        """Without a card nothing can fade; what the core has ended is ended all the same."""
        if self._cue is not None and self._cue.at <= self._clock.now().mono and self._bus.sounding:
            self._bus.cut(EndReason.SUPERSEDED)
            self._tell(self._line_without_card())

    async def _reopen_current(self) -> None:
        track = self._bus.current
        if track is None:
            return
        try:
            opened = await self._opener.open(track.output, begins=self._clock.now().wall)
        except PortError as error:
            _log.warning("%s does not go on: %s", track.output.key, error)
            self._bus.cut(EndReason.INTERRUPTED)
            self._tell(self._line_without_card())
            return
        self._close(track.exchange(opened.feed))

    def _line_without_card(self) -> Line:
        now = self._clock.now()
        return Line(now, self._bus.position, float(now.mono))

    # Letting go.

    def _sounds(self, output: Output) -> bool:
        current = self._bus.current
        return current is not None and current.output.key == output.key and current.leaves_at is None

    def _drop_cue(self) -> None:
        cue, self._cue = self._cue, None
        if cue is not None:
            self._let_go(asyncio.create_task(cue.drop()))

    def _close_ended(self, ended: list[Ended]) -> None:
        for end in ended:
            self._close(end.track.feed)

    def _close(self, feed: Feed) -> None:
        self._let_go(asyncio.create_task(feed.close()))

    def _let_go(self, task: asyncio.Task[None]) -> None:
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _unexpected(measured_cdb: int | None) -> bool:
    """Whether a measured level is sound, and so not to be expected while the amplifier is off."""
    return measured_cdb is not None and measured_cdb > _UNEXPECTED_CDB
