"""The made-up ether: stations fade, fall silent and are overpowered."""

from __future__ import annotations

import asyncio

import pytest

from simulators.fm_station import NOISE_RSSI_DBUV, SimEther, SimStation, SimTuner
from simulators.listening import find
from simulators.loop_clock import LoopClock
from simulators.melody import melody

HOME = melody(1, duration_ms=8000)
FOREIGN = melody(2, duration_ms=7000)


class Air:
    """A tuner on the home station's frequency, with a foreign one that is off at first."""

    def __init__(self, clock: LoopClock) -> None:
        self.home = SimStation(99_900, HOME, pi="A201", ps="VOV1")
        self.foreign = SimStation(99_900, FOREIGN, pi="C0DE", rssi_dbuv=70, on_air=False)
        self.tuner = SimTuner(clock, SimEther(self.home, self.foreign))

    async def listen(self, seconds: int = 2) -> bytes:
        source = await self.tuner.open()
        return b"".join([await source.read() or b"" for _ in range(seconds * 50)])


@pytest.fixture
async def air(clock: LoopClock) -> Air:
    air = Air(clock)
    await air.tuner.tune(99_900)
    await asyncio.sleep(2)
    return air


async def test_home_station_is_heard_and_named(air: Air) -> None:
    assert find((await air.listen())[:96_000], HOME + HOME).correlation > 0.99
    assert (await air.tuner.signal()).pi == "A201"


async def test_two_tuners_hear_the_same_moment(air: Air, clock: LoopClock) -> None:
    other = SimTuner(clock, SimEther(air.home))
    await other.tune(99_900)
    first, second = await air.tuner.open(), await other.open()
    assert await first.read() == await second.read()


async def test_station_off_the_air_is_noise(air: Air) -> None:
    air.home.on_air = False
    signal = await air.tuner.signal()
    assert (signal.rssi_dbuv, signal.pi) == (NOISE_RSSI_DBUV, None)
    assert find((await air.listen())[:96_000], HOME + HOME).correlation < 0.3


async def test_foreign_station_takes_the_frequency(air: Air) -> None:
    before = await air.tuner.signal()
    air.foreign.on_air = True
    after = await air.tuner.signal()
    assert after.rssi_dbuv - before.rssi_dbuv > 10
    assert after.pi is None, "a new identity takes a moment"
    await asyncio.sleep(1)
    assert (await air.tuner.signal()).pi == "C0DE"
    assert find((await air.listen())[:96_000], FOREIGN + FOREIGN).correlation > 0.99


async def test_fading_station_drowns(air: Air) -> None:
    clear = await air.listen()
    air.home.rssi_dbuv = 14
    faded = await air.listen()
    assert find(clear[:96_000], HOME + HOME).correlation > find(faded[:96_000], HOME + HOME).correlation
    assert (await air.tuner.signal()).pi is None
