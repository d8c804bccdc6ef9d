"""The sound path: one output at a time, each from its exact sample on.

One task, the pump, renders a frame, writes it to the card and is paced by it. It looks at the clock once a frame and
turns instants into samples, so a switch happens inside a frame, not at its edge. A switch first becomes a cue: its
source is opened and read ahead while the old sound goes on. When nothing sounds and the amplifier is off, the pump
sleeps, and looks only now and then whether the card is there and the horn is silent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final, Self

from edge.audio import tone
from edge.audio.amplifier_line import AmplifierLine
from edge.audio.bus import Bus
from edge.audio.card_clock import CardClock, Line
from edge.audio.closing import Closing
from edge.audio.cue import Cue
from edge.audio.handover import Handover
from edge.audio.source import SourceOpener
from edge.audio.teller import Teller
from edge.audio.timekeeper import Timekeeper
from edge.core.events import Event
from edge.core.output import Output, Silence, StreamOutput
from edge.ports import (
    FRAME_MS,
    SILENT_FRAME,
    Amplifier,
    Board,
    CardLostError,
    Clock,
    MediaStore,
    Meter,
    Player,
    PortError,
    SoundCard,
    Voice,
)
from edge.vital import Organ, Vital
from protocol.clock import MonoMs
from protocol.report import EndReason

LEAD_IN_MS: Final = 700
HOLD_MS: Final = 5000
_CARD_START_MS: Final = 300
"""The card runs this long before a planned start, so its clock is known."""
_HANDOVER_MS: Final = 2 * FRAME_MS
"""Opening a source, and the fade of what sounded before."""
_CARD_RETRY_MS: Final = 500
_CARD_PROBE_MS: Final = 25_000
"""A card that is lost while nothing sounds is known within the 30 s of behaviour.md, section 7."""
_METER_POLL_MS: Final = 5000
_METER_SECOND_MS: Final = 1000

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
        vital: Vital | None = None,
    ) -> None:
        self._clock = clock
        self._card = card
        self._opener = opener
        self._vital = vital or Vital()
        self._amplifier = AmplifierLine(amplifier, clock, lead_in_ms=lead_in_ms, hold_ms=hold_ms)
        self._bus = Bus()
        self._teller = Teller(clock, meter)
        self._closing = Closing()
        self._handover = Handover(self._bus, amplifier=self._amplifier, teller=self._teller, closing=self._closing)
        self._card_clock = CardClock()
        self._timekeeper = Timekeeper()
        self._wake = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None

    @classmethod
    def on(
        cls,
        board: Board,
        *,
        clock: Clock,
        player: Player,
        store: MediaStore,
        voice: Voice,
        vital: Vital | None = None,
    ) -> Self:
        """The sound path of a board; `vital` is told of every frame, so a card that hangs is noticed."""
        microphone, tuner = board.microphone(), board.tuner()
        opener = SourceOpener(
            clock=clock, player=player, store=store, voice=voice, microphone=microphone, tuner=tuner
        )
        card, amplifier, meter = board.card(), board.amplifier(), board.meter()
        return cls(clock=clock, card=card, amplifier=amplifier, meter=meter, opener=opener, vital=vital)

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
        self._handover.plan(None)
        self._cut(EndReason.INTERRUPTED)
        await self._closing.done()

    def configure(self, *, lead_in_ms: int, hold_ms: int) -> None:
        """Takes the signed times of the amplifier; they count from its next change."""
        self._amplifier.lead_in_ms = lead_in_ms
        self._amplifier.hold_ms = hold_ms

    async def switch(self, output: Output, *, at: MonoMs) -> None:
        """See `edge.ports.Audio`."""
        cue = self._handover.cue
        if self._handover.sounds(output) or (isinstance(output, Silence) and not self._bus.sounding):
            self._handover.plan(None)
        elif cue is None or not cue.same(output, at):
            made = Cue(
                output, at, opener=self._opener, clock=self._clock, ready_at=self._ready_at, tell=self._wake.set
            )
            self._handover.plan(made)
            self._wake.set()

    def feed_live(self, session_id: str, counter: int, packets: tuple[bytes, ...]) -> None:
        """See `edge.ports.Audio`."""
        self._opener.feed_live(session_id, counter, packets)

    async def mute(self, muted: bool) -> None:
        """See `edge.ports.Audio`."""
        await self._amplifier.mute(muted)

    def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.Audio`."""
        return self._teller.events()

    async def _run(self) -> None:
        while True:
            try:
                if self._at_rest():
                    await self._rest()
                with self._vital.busy(Organ.SOUND):
                    await self._frame()
            except CardLostError as error:
                _log.warning("the sound card is lost: %s", error)
                await self._await_card()
            except Exception:
                _log.exception("the sound path is at fault, and begins anew")
                self._cut(EndReason.SOURCE_FAILED)
                await self._clock.sleep_until(self._in(_CARD_RETRY_MS))

    async def _frame(self) -> None:
        now = self._clock.now()
        line = Line(now, self._bus.position, self._card_clock.heard_ms(now.mono, self._card.delay_ms()))
        await self._amplifier.follow(wanted=self._handover.wants_amplifier(now.mono))
        self._handover.follow(line)
        self._timekeeper.keep(self._bus.current, line)
        frame = self._bus.render()
        self._tell(line)
        self._teller.watch(self._bus.current)
        await self._card.write(frame)
        self._teller.measure(frame, self._bus.current, amplified=self._amplifier.on)

    def _tell(self, line: Line) -> None:
        ended = self._bus.take_ended()
        self._teller.frame(line, ended)
        for end in ended:
            self._closing.start(end.track.feed.close())

    def _cut(self, reason: EndReason) -> None:
        self._bus.cut(reason)
        now = self._clock.now()
        self._tell(Line(now, self._bus.position, float(now.mono)))

    # Rest.

    def _at_rest(self) -> bool:
        return not (self._bus.sounding or self._amplifier.on or self._wakes_at(self._in(1)) <= self._in(0))

    def _wakes_at(self, latest: MonoMs) -> MonoMs:
        """When the cue needs the card, or the latest time given."""
        cue = self._handover.cue
        ahead_ms = max(self._amplifier.lead_in_ms, _CARD_START_MS)
        return latest if cue is None else min(latest, MonoMs(cue.at - ahead_ms))

    async def _rest(self) -> None:
        with self._vital.busy(Organ.SOUND):
            await self._card.drain()
        self._card_clock.reset()
        probe_at = self._in(_CARD_PROBE_MS)
        poll_ms = _METER_POLL_MS if self._teller.metered else _CARD_PROBE_MS
        while self._at_rest():
            await self._sleep(self._wakes_at(min(probe_at, self._in(poll_ms))))
            self._handover.drop_broken(self._clock.now().wall)
            if self._teller.metered:
                poll_ms = _METER_SECOND_MS if self._teller.measure_rest() else _METER_POLL_MS
            if self._clock.now().mono >= probe_at:
                with self._vital.busy(Organ.SOUND):
                    await self._card.write(SILENT_FRAME)
                    await self._card.drain()
                probe_at = self._in(_CARD_PROBE_MS)

    async def _sleep(self, until: MonoMs) -> None:
        """Returns when a switch came, or the time."""
        self._wake.clear()
        try:
            async with asyncio.timeout(max(0, until - self._clock.now().mono) / 1000):
                await self._wake.wait()
        except TimeoutError:
            pass

    # A lost card.

    async def _await_card(self) -> None:
        self._teller.card(present=False)
        await self._amplifier.release()
        while not await self._card_answers():
            if self._handover.is_due(self._in(0)) and self._bus.sounding:
                self._cut(EndReason.SUPERSEDED)
            await self._clock.sleep_until(self._in(_CARD_RETRY_MS))
        self._card_clock.reset()
        self._teller.card(present=True)
        await self._reopen_current()

    async def _card_answers(self) -> bool:
        try:
            with self._vital.busy(Organ.SOUND):
                await self._card.write(SILENT_FRAME)
        except CardLostError:
            return False
        return True

    async def _reopen_current(self) -> None:
        """What sounded goes on where it would be now."""
        track = self._bus.current
        if track is None or isinstance(track.output, StreamOutput):
            return  # nobody waits here for a station to answer; what is held of it goes on
        try:
            opened = await self._opener.open(track.output, begins=self._clock.now().wall)
        except PortError as error:
            _log.warning("%s does not go on: %s", track.output.key, error)
            self._cut(EndReason.INTERRUPTED)
        else:
            self._closing.start(track.exchange(opened.feed).close())

    def _ready_at(self, now: MonoMs) -> MonoMs:
        """When a source that is opened now can be heard at the earliest."""
        through_card = MonoMs(now + round(self._card.delay_ms()) + _HANDOVER_MS)
        return max(through_card, self._amplifier.ready_at(now))

    def _in(self, duration_ms: int) -> MonoMs:
        return MonoMs(self._clock.now().mono + duration_ms)
