"""What every FmTuner promises. A real one is tested with a transmitter in the laboratory, or with none."""

from __future__ import annotations

import asyncio
import re

import pytest

from edge.ports import FRAME_BYTES, FRAME_MS, FmTuner

FREQUENCY_KHZ = 99_900
EMPTY_KHZ = 88_100


class FmTunerContract:
    """Subclasses give the tuner, with a station on FREQUENCY_KHZ whose identity is `pi`, and none on EMPTY_KHZ."""

    pi: str | None = None

    @pytest.fixture
    def tuner(self) -> FmTuner:
        raise NotImplementedError

    async def test_station_is_stronger_than_the_empty_ether(self, tuner: FmTuner) -> None:
        await tuner.tune(EMPTY_KHZ)
        nothing = await tuner.signal()
        await tuner.tune(FREQUENCY_KHZ)
        station = await tuner.signal()
        assert (nothing.frequency_khz, station.frequency_khz) == (EMPTY_KHZ, FREQUENCY_KHZ)
        assert station.rssi_dbuv > nothing.rssi_dbuv + 10
        assert nothing.pi is None

    async def test_identity_takes_a_moment(self, tuner: FmTuner) -> None:
        await tuner.tune(FREQUENCY_KHZ)
        await asyncio.sleep(3)
        signal = await tuner.signal()
        assert signal.pi == self.pi
        assert signal.pi is None or re.fullmatch("[0-9A-F]{4}", signal.pi)

    async def test_tuning_away_forgets_the_identity(self, tuner: FmTuner) -> None:
        await tuner.tune(FREQUENCY_KHZ)
        await asyncio.sleep(3)
        await tuner.tune(EMPTY_KHZ)
        assert (await tuner.signal()).pi is None
        await tuner.tune(FREQUENCY_KHZ)
        assert (await tuner.signal()).pi is None

    async def test_sound_comes_at_its_pace(self, tuner: FmTuner) -> None:
        loop = asyncio.get_running_loop()
        await tuner.tune(FREQUENCY_KHZ)
        source = await tuner.open()
        await source.read()
        before = loop.time()
        frames = [await source.read() for _ in range(25)]
        assert (loop.time() - before) * 1000 == pytest.approx(25 * FRAME_MS, abs=FRAME_MS)
        assert {len(frame or b"") for frame in frames} == {FRAME_BYTES}
        assert any(any(frame or b"") for frame in frames)
        await source.close()
        await source.close()

    async def test_empty_frequency_sounds_of_noise(self, tuner: FmTuner) -> None:
        await tuner.tune(EMPTY_KHZ)
        source = await tuner.open()
        assert any(await source.read() or b"")
        await source.close()
