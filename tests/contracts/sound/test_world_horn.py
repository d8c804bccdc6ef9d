"""The worlds' horn tells what every sound path tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.core.output import FmOutput, Rung, Silence
from simulators.encoder import encode, opus_packets
from simulators.loop_clock import LoopClock
from simulators.media_shelf import MediaShelf
from simulators.melody import melody
from simulators.world.horn import WorldHorn
from simulators.world.sound_source import Flow
from simulators.world.speaker import Speaker
from tests.contracts.sound.audio_contract import LENGTH_MS, STREAM, AudioContract, Stage


class TestWorldHorn(AudioContract):
    @pytest.fixture
    async def stage(self, tmp_path: Path) -> AsyncIterator[Stage]:
        clock, shelf, song = LoopClock(), MediaShelf(), melody(8, duration_ms=LENGTH_MS)
        media = shelf.put(encode(song, tmp_path / "song.wav"), duration_ms=LENGTH_MS)
        flows = {STREAM: Flow.ON}
        speaker = Speaker(lambda _: None)
        async with WorldHorn(clock, shelf, speaker=speaker, flow=lambda one: flows.get(one, Flow.DEAD)) as horn:

            def become(flow: Flow) -> None:
                flows[STREAM] = flow
                horn.look()

            packets = opus_packets(song[:96_000])
            yield Stage(horn, clock, media, packets, lambda: become(Flow.STALLED), lambda: become(Flow.ON))

    async def test_fm_that_stands_in_goes_on_until_a_stream_is_there(self, listened: Stage) -> None:
        await listened.switch(FmOutput(Rung.FM_FALLBACK, 97_300))
        await listened.wait(2000)
        listened.stop_stream()
        await listened.switch(listened.stream(STREAM), in_ms=1000)
        await listened.wait(3000)
        assert listened.story() == ["started fm"]
        await listened.switch(Silence())
        await listened.wait(200)
        assert listened.story() == ["started fm", "ended fm superseded"]
