"""Hundreds of switches of every kind at any instant: whatever the core asks for, these things hold."""

from __future__ import annotations

import asyncio
import audioop
import logging
import random

import pytest

from edge.audio.limiter import CEILING
from edge.core.events import SoundEnded, SoundStarted
from edge.core.output import Output, Silence
from protocol.alert import Tone
from protocol.report import LEVEL_SILENCE_CDB
from simulators.encoder import opus_packets
from simulators.horn import WARM_UP_MS
from simulators.listening import find, largest_step
from simulators.melody import melody
from tests.edge.audio.conftest import SONG
from tests.edge.audio.scene import Scene

STORM_MS = 60_000
PACKETS = opus_packets(melody(21, duration_ms=2000))


class Storm:
    """Random acts upon a scene."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self.chance = random.Random(seed)
        self.counter = 0
        scene.board.sim_microphone.recording = melody(4, duration_ms=20_000)

    def output(self) -> Output:
        scene, chance = self.scene, self.chance
        start = scene.now_ms - chance.randrange(-500, 9000)
        outputs: list[Output] = [
            Silence(),
            scene.programme(start, item=str(chance.randrange(3))),
            scene.programme(start, item=str(chance.randrange(3))),
            scene.alert(tone=chance.choice(list(Tone)), name=str(chance.randrange(2))),
            scene.station_output(),
            scene.microphone(),
            scene.live(),
        ]
        return chance.choice(outputs)

    async def blow(self) -> None:
        scene, chance = self.scene, self.chance
        while scene.now_ms < STORM_MS:
            await scene.until(scene.now_ms + chance.choice([1, 7, 30, 200, 1500, 4000]))
            await scene.switch(self.output(), at_ms=scene.now_ms + chance.choice([0, 0, 0, 13, 400, 2500]))
            scene.engine.feed_live("ab" * 16, self.counter, PACKETS[:50])
            self.counter += 1
            if chance.random() < 0.05:
                lead_in_ms = chance.randrange(WARM_UP_MS, 1500)
                scene.engine.configure(lead_in_ms=lead_in_ms, hold_ms=chance.randrange(500, 5000))
        await scene.silence()
        await scene.until(STORM_MS + 15_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
async def test_storm_of_switches(scene: Scene, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    await Storm(scene, seed).blow()
    natural = max(largest_step(SONG), largest_step(scene.station.sound), 4000)
    heard = scene.heard().samples
    assert largest_step(heard) <= natural + 100
    assert audioop.max(heard, 2) <= CEILING
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert not scene.board.sim_amplifier.on
    assert scene.board.sound_card.underruns == 0
    _check_events(scene)


def _check_events(scene: Scene) -> None:
    """Every sound that began ended once; two are there only while an alert's tone is over the other."""
    sounding: list[str] = []
    for event in scene.told:
        if isinstance(event, SoundStarted):
            assert not sounding or event.key.startswith("alert"), sounding
            sounding.append(event.key)
            assert len(sounding) <= 2
        if isinstance(event, SoundEnded) and event.level_cdb == LEVEL_SILENCE_CDB and event.began == event.wall:
            assert event.key not in sounding
        elif isinstance(event, SoundEnded):
            sounding.remove(event.key)
            assert event.began <= event.wall
    assert sounding == []


class Fate:
    """Hardware that comes and goes, and a wall clock that steps."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self.chance = random.Random(seed)

    async def strike(self) -> None:
        while self.scene.now_ms < STORM_MS - 5000:
            await asyncio.sleep(self.chance.choice([0.1, 1, 3]))
            self.chance.choice([self._card, self._tuner, self._microphone, self._clock])()
            await self.scene.engine.mute(self.chance.random() < 0.2)
        self.scene.board.sound_card.plug()
        await self.scene.engine.mute(False)

    def _card(self) -> None:
        if self.chance.random() < 0.3:
            self.scene.board.sound_card.unplug()
        else:
            self.scene.board.sound_card.plug()

    def _tuner(self) -> None:
        assert self.scene.board.sim_tuner is not None
        self.scene.board.sim_tuner.broken = self.chance.random() < 0.3

    def _microphone(self) -> None:
        self.scene.board.sim_microphone.broken = self.chance.random() < 0.3

    def _clock(self) -> None:
        self.scene.clock.offset_ms += self.chance.choice([-3000, -40, 40, 3000])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
async def test_storm_in_which_everything_breaks(scene: Scene, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    fate = asyncio.create_task(Fate(scene, seed).strike())
    await Storm(scene, seed).blow()
    await fate
    await scene.switch(scene.programme(scene.now_ms + 2000), at_ms=scene.now_ms + 2000)
    began_ms = scene.now_ms + 2000
    await scene.until(began_ms + 4000)
    found = find(SONG[500 * 96 : 2500 * 96], scene.heard(began_ms).samples)
    assert found.correlation > 0.999
    assert found.offset_ms == pytest.approx(500, abs=2)
    await scene.silence()
    await scene.until(scene.now_ms + 1000)
    _check_events(scene)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
