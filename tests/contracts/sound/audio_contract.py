"""What every Audio promises, as far as events tell it; what is heard is tested where there are samples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from edge.core.events import Event, LevelMeasured, SoundEnded, SoundFailing, SoundRecovered, SoundStarted
from edge.core.output import (
    AlertOutput,
    LiveOutput,
    MessageOutput,
    MicrophoneOutput,
    Output,
    ProgrammeOutput,
    Rung,
    Silence,
    StreamOutput,
)
from edge.ports import Audio, Clock
from protocol.alert import Part, Tone
from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, WallMs
from protocol.report import LEVEL_SILENCE_CDB, EndReason

LENGTH_MS = 6000
SESSION = "cd" * 16
STREAM = "http://radio.vn/vov1"


@dataclass
class Stage:
    """An Audio, with one programme of LENGTH_MS stored, and Opus packets of a second of sound.

    At STREAM a web radio answers; `stop_stream` lets it give nothing, `resume_stream` lets it go on.
    """

    audio: Audio
    clock: Clock
    song: MediaRef
    packets: tuple[bytes, ...]
    stop_stream: Callable[[], None] = lambda: None
    resume_stream: Callable[[], None] = lambda: None
    told: list[Event] = field(default_factory=list)

    async def listen(self) -> None:
        async for event in self.audio.events():
            self.told.append(event)

    def programme(self, *, start_in_ms: int, media: MediaRef | None = None, item: str = "song") -> ProgrammeOutput:
        start = WallMs(self.clock.now().wall + start_in_ms)
        return ProgrammeOutput(Rung.ORDINARY, "document", item, start, start, media or self.song)

    def stream(self, address: str) -> StreamOutput:
        return StreamOutput(Rung.FM_SLOT, "document", "relay", self.clock.now().wall, address)

    async def switch(self, output: Output, *, in_ms: int = 0) -> None:
        await self.audio.switch(output, at=MonoMs(self.clock.now().mono + in_ms))

    async def wait(self, duration_ms: int) -> None:
        await self.clock.sleep_until(MonoMs(self.clock.now().mono + duration_ms))

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.told if isinstance(event, kind)]

    def story(self) -> list[str]:
        names = []
        for event in self.told:
            if isinstance(event, SoundStarted):
                names.append(f"started {event.key.partition('/')[0]}")
            if isinstance(event, SoundEnded):
                names.append(f"ended {event.key.partition('/')[0]} {event.reason}")
            if isinstance(event, SoundFailing | SoundRecovered):
                verb = "failing" if isinstance(event, SoundFailing) else "recovered"
                names.append(f"{verb} {event.key.partition('/')[0]}")
        return names


ALERT = AlertOutput("alert document", "alert", Tone.TWO_TONE, 3000, 1000, (Part("vi", "Có bão."),))


class AudioContract:
    """Subclasses give the stage; `listened` runs its events."""

    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        raise NotImplementedError
        yield

    @pytest.fixture
    async def listened(self, stage: Stage) -> AsyncIterator[Stage]:
        listening = asyncio.create_task(stage.listen())
        yield stage
        listening.cancel()
        await asyncio.wait([listening])

    async def test_planned_programme_begins_and_ends(self, listened: Stage) -> None:
        output = listened.programme(start_in_ms=2000)
        await listened.switch(output, in_ms=2000)
        await listened.wait(2000 + LENGTH_MS + 500)
        assert listened.story() == ["started programme", "ended programme complete"]
        (started,), (ended,) = listened.of(SoundStarted), listened.of(SoundEnded)
        assert isinstance(started, SoundStarted) and isinstance(ended, SoundEnded)
        assert started.wall == pytest.approx(output.start, abs=20)
        assert ended.began == started.wall
        assert ended.wall - ended.began == pytest.approx(LENGTH_MS, abs=40)
        assert LEVEL_SILENCE_CDB < ended.level_cdb < 0

    async def test_nothing_is_told_before_it_happened(self, listened: Stage) -> None:
        await listened.switch(listened.programme(start_in_ms=2000), in_ms=2000)
        await listened.wait(1990)
        assert listened.story() == []

    async def test_late_programme_ends_when_it_would_have(self, listened: Stage) -> None:
        output = listened.programme(start_in_ms=-2000)
        await listened.switch(output)
        await listened.wait(LENGTH_MS)
        (ended,) = listened.of(SoundEnded)
        assert isinstance(ended, SoundEnded)
        assert ended.wall - output.start == pytest.approx(LENGTH_MS, abs=60)

    async def test_cold_amplifier_delays_an_immediate_start(self, listened: Stage) -> None:
        asked = listened.clock.now().wall
        await listened.switch(MicrophoneOutput(Rung.MICROPHONE))
        await listened.wait(2000)
        (started,) = listened.of(SoundStarted)
        assert isinstance(started, SoundStarted)
        assert 690 <= started.wall - asked <= 1000

    async def test_forgotten_plan_never_begins(self, listened: Stage) -> None:
        await listened.switch(listened.programme(start_in_ms=2000), in_ms=2000)
        await listened.wait(1000)
        await listened.switch(Silence())
        await listened.wait(3000)
        assert listened.story() == []

    async def test_newer_plan_replaces_the_older(self, listened: Stage) -> None:
        await listened.switch(listened.programme(start_in_ms=2000), in_ms=2000)
        await listened.switch(MicrophoneOutput(Rung.MICROPHONE), in_ms=2000)
        await listened.wait(3000)
        assert listened.story() == ["started microphone"]

    async def test_what_ends_is_told_before_what_begins(self, listened: Stage) -> None:
        await listened.switch(listened.programme(start_in_ms=1000), in_ms=1000)
        await listened.wait(2000)
        await listened.switch(MicrophoneOutput(Rung.MICROPHONE))
        await listened.wait(1000)
        await listened.switch(Silence())
        await listened.wait(1000)
        story = ["started programme", "ended programme superseded", "started microphone"]
        assert listened.story() == [*story, "ended microphone superseded"]

    async def test_same_key_goes_on(self, listened: Stage) -> None:
        output = listened.programme(start_in_ms=1000)
        await listened.switch(output, in_ms=1000)
        await listened.wait(2000)
        await listened.switch(output)
        await listened.wait(1000)
        assert listened.story() == ["started programme"]

    async def test_alert_ducks_and_then_replaces(self, listened: Stage) -> None:
        await listened.switch(listened.programme(start_in_ms=1000), in_ms=1000)
        await listened.wait(2000)
        await listened.switch(ALERT)
        await listened.wait(1000)
        assert listened.story() == ["started programme", "started alert"]
        await listened.wait(3000)
        assert listened.story() == ["started programme", "started alert", "ended programme superseded"]

    async def test_alert_goes_on_until_it_is_ended(self, listened: Stage) -> None:
        await listened.switch(ALERT)
        await listened.wait(30_000)
        assert listened.story() == ["started alert"]
        await listened.switch(Silence())
        await listened.wait(1000)
        assert listened.story() == ["started alert", "ended alert superseded"]

    async def test_missing_programme_fails(self, listened: Stage) -> None:
        missing = MediaRef("0" * 64, size_bytes=1, duration_ms=1000)
        await listened.switch(listened.programme(start_in_ms=1000, media=missing), in_ms=1000)
        await listened.wait(2500)
        assert listened.story() == ["ended programme source_failed"]
        assert isinstance(ended := listened.of(SoundEnded)[0], SoundEnded) and ended.reason is EndReason.SOURCE_FAILED

    async def test_live_session_stalls_within_two_seconds(self, listened: Stage) -> None:
        for count in range(3):
            listened.audio.feed_live(SESSION, count, listened.packets)
            await listened.switch(LiveOutput(Rung.LIVE_PRIORITY, "session", SESSION))
            await listened.wait(1000)
        await listened.wait(1500)
        assert listened.story() == ["started live", "failing live", "ended live source_failed"]

    async def test_live_session_that_fails_is_told_while_it_still_sounds(self, listened: Stage) -> None:
        for count in range(3):
            listened.audio.feed_live(SESSION, count, listened.packets)
            await listened.switch(LiveOutput(Rung.LIVE_PRIORITY, "session", SESSION))
            await listened.wait(1000)
        await listened.wait(600)
        assert listened.story() == ["started live", "failing live"]
        listened.audio.feed_live(SESSION, 3, listened.packets)
        await listened.wait(500)
        assert listened.story() == ["started live", "failing live", "recovered live"]

    async def test_message_plays_once(self, listened: Stage) -> None:
        await listened.switch(MessageOutput(Rung.MICROPHONE, "config", 1, listened.song, listened.clock.now().mono))
        await listened.wait(LENGTH_MS + 1500)
        assert listened.story() == ["started message", "ended message complete"]

    async def test_stream_goes_on_without_an_end(self, listened: Stage) -> None:
        await listened.switch(listened.stream(STREAM), in_ms=8000)
        await listened.wait(60_000)
        assert listened.story() == ["started stream"]

    async def test_stream_that_falls_silent_sounds_on_from_what_is_held(self, listened: Stage) -> None:
        await listened.switch(listened.stream(STREAM), in_ms=8000)
        await listened.wait(12_000)
        listened.stop_stream()
        await listened.wait(2000)
        assert listened.story() == ["started stream", "failing stream"]
        await listened.wait(2000)
        assert listened.story() == ["started stream", "failing stream", "ended stream source_failed"]

    async def test_stream_that_goes_on_in_time_is_told(self, listened: Stage) -> None:
        await listened.switch(listened.stream(STREAM), in_ms=8000)
        await listened.wait(12_000)
        listened.stop_stream()
        await listened.wait(2000)
        listened.resume_stream()
        await listened.wait(10_000)
        assert listened.story() == ["started stream", "failing stream", "recovered stream"]

    async def test_stream_where_nobody_answers_is_told_before_its_second(self, listened: Stage) -> None:
        await listened.switch(listened.stream("http://radio.vn/nobody"), in_ms=8000)
        await listened.wait(4000)
        assert listened.story() == ["ended stream source_failed"]

    async def test_levels_come_while_it_sounds_and_then_stop(self, listened: Stage) -> None:
        await listened.switch(MicrophoneOutput(Rung.MICROPHONE))
        await listened.wait(5000)
        assert 3 <= len(listened.of(LevelMeasured)) <= 5
        await listened.switch(Silence())
        await listened.wait(7000)
        before = len(listened.of(LevelMeasured))
        await listened.wait(10_000)
        assert len(listened.of(LevelMeasured)) == before

    async def test_mute_ends_the_levels(self, listened: Stage) -> None:
        await listened.audio.mute(True)
        await listened.switch(MicrophoneOutput(Rung.MICROPHONE))
        await listened.wait(4000)
        assert listened.of(LevelMeasured) == []
        await listened.audio.mute(False)
        await listened.wait(4000)
        assert len(listened.of(LevelMeasured)) >= 2
