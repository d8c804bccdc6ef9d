"""A device's sound path on a simulated board, and what a story does with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

from edge.audio.engine import Engine
from edge.core.events import Event, LevelMeasured, SoundEnded, SoundStarted
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
from protocol.alert import Part, Tone
from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, WallMs
from simulators.board import SimBoard
from simulators.fm_station import SimEther, SimStation
from simulators.horn import Heard
from simulators.loop_clock import LoopClock
from simulators.media_shelf import MediaShelf
from simulators.melody import melody
from simulators.player import PyAvPlayer
from simulators.radio import Radio, RadioPlayer
from simulators.tone_voice import ToneVoice

E = TypeVar("E", bound=Event)
EPOCH = WallMs(1_700_000_000_000)
STATION_KHZ = 99_900
RADIO = "http://radio.vn/vov1"


class Scene:
    """Wall times in here count from the beginning of the story."""

    def __init__(self, song: Path) -> None:
        self.clock = LoopClock(wall=EPOCH)
        self.station = SimStation(STATION_KHZ, melody(9, duration_ms=20_000), pi="A201", ps="VOV1")
        self.board = SimBoard(self.clock, ether=SimEther(self.station))
        self.shelf = MediaShelf()
        self.song = self.shelf.put(song, duration_ms=12_000)
        self.voice = ToneVoice()
        self.player = RadioPlayer(self.clock, PyAvPlayer())
        self.radio = self.player.radios[RADIO] = Radio(melody(11, duration_ms=25_000))
        self.engine = Engine.on(self.board, clock=self.clock, player=self.player, store=self.shelf, voice=self.voice)
        self.told: list[Event] = []
        self._listener = asyncio.create_task(self._listen())

    async def close(self) -> None:
        self._listener.cancel()
        await asyncio.wait([self._listener])

    async def _listen(self) -> None:
        async for event in self.engine.events():
            self.told.append(event)

    # Time.

    @property
    def now_ms(self) -> int:
        return self.clock.now().wall - EPOCH

    async def until(self, story_ms: int) -> None:
        await self.clock.sleep_until(self.at(story_ms))

    def at(self, story_ms: int) -> MonoMs:
        now = self.clock.now()
        return MonoMs(now.mono + story_ms - (now.wall - EPOCH))

    # Outputs.

    def programme(self, start_ms: int, *, media: MediaRef | None = None, item: str = "song") -> ProgrammeOutput:
        start = WallMs(EPOCH + start_ms)
        return ProgrammeOutput(Rung.ORDINARY, "document", item, start, start, media or self.song)

    def alert(
        self, *parts: Part, tone: Tone = Tone.TWO_TONE, tone_ms: int = 3000, gap_ms: int = 1000, name: str = "alert"
    ) -> AlertOutput:
        return AlertOutput(name, name, tone, tone_ms, gap_ms, parts or (Part("vi", "Có bão, vào nhà ngay."),))

    def station_output(self) -> FmOutput:
        return FmOutput(Rung.FM_FALLBACK, STATION_KHZ)

    def microphone(self) -> MicrophoneOutput:
        return MicrophoneOutput(Rung.MICROPHONE)

    def live(self) -> LiveOutput:
        return LiveOutput(Rung.LIVE_PRIORITY, "session document", "ab" * 16)

    def stream(self, address: str = RADIO) -> StreamOutput:
        return StreamOutput(Rung.FM_SLOT, "document", "relay", EPOCH, address)

    def message(self, media: MediaRef | None = None) -> MessageOutput:
        return MessageOutput(Rung.MICROPHONE, "config", 1, media or self.song, self.clock.now().mono)

    async def switch(self, output: Output, *, at_ms: int | None = None) -> None:
        await self.engine.switch(output, at=self.at(self.now_ms if at_ms is None else at_ms))

    async def silence(self) -> None:
        await self.switch(Silence())

    # Hearing.

    def heard(self, begin_ms: float = 0, end_ms: float | None = None) -> Heard:
        """What was heard, with times of the story."""
        heard = self.board.horn.heard(EPOCH + begin_ms, None if end_ms is None else EPOCH + end_ms)
        return Heard(heard.began_ms - EPOCH, heard.samples)

    def events(self, kind: type[E]) -> list[E]:
        return [event for event in self.told if isinstance(event, kind)]

    def started(self) -> list[tuple[str, int]]:
        return [(event.key.partition("/")[0], event.wall - EPOCH) for event in self.events(SoundStarted)]

    def ended(self) -> list[tuple[str, str]]:
        return [(event.key.partition("/")[0], str(event.reason)) for event in self.events(SoundEnded)]

    def levels(self) -> list[LevelMeasured]:
        return self.events(LevelMeasured)
