"""The agent's tuner over the chip: identity, time, scan, and a chip that fails."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hardware.errors import CardLostError
from hardware.fm_tuner import Si4703Tuner
from hardware.si4703 import Si4703
from simulators.chip_air import ChipCapture, air_of
from simulators.fm_station import SimEther, SimStation
from simulators.i2c_bus import SimI2cBus
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from simulators.si4703_chip import Si4703Chip

VIRTUAL_TIME = True
EPOCH_MS = 1_795_000_000_000


class Receiver:
    """An ether, a chip that hears it, and the tuner over it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        sound = melody(2, duration_ms=1000)
        self.vov = SimStation(99_900, sound, pi="A201", ps="VOV1")
        self.province = SimStation(92_100, sound, pi="B202", ps="TINH", rssi_dbuv=40)
        self.ether = SimEther(self.vov, self.province)
        self.bus = SimI2cBus()
        air = air_of(self.ether, text="Xin chao", wall_offset_ms=EPOCH_MS)
        self.chip = Si4703Chip(lambda: loop.time() * 1000, air, self.bus.data_is_low)
        self.bus.chips[0x10] = self.chip
        driver = Si4703(self.bus, reset=self.chip.reset, hold_sdio=self.bus.hold)
        self.tuner = Si4703Tuner(driver, ChipCapture(LoopClock(), self.ether, self.chip))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.chip.gone = receiver.bus.stuck = False
    await receiver.tuner.close()


async def identity(receiver: Receiver, seconds: float = 3) -> str | None:
    await asyncio.sleep(seconds)
    return (await receiver.tuner.signal()).pi


async def test_name_and_text_come_by_themselves(receiver: Receiver) -> None:
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"
    assert (receiver.tuner.programme.ps, receiver.tuner.programme.rt) == ("VOV1", "Xin chao")


async def test_same_frequency_keeps_what_is_known(receiver: Receiver) -> None:
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"
    await receiver.tuner.tune(99_900)
    assert (await receiver.tuner.signal()).pi == "A201"


async def test_stronger_sender_without_rds_does_not_inherit(receiver: Receiver) -> None:
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"
    receiver.ether.stations.append(SimStation(99_900, b"\0\0" * 960, rssi_dbuv=70))
    assert await identity(receiver, 4) is None


async def test_another_identity_on_the_frequency(receiver: Receiver) -> None:
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"
    receiver.vov.pi = "BEEF"
    assert await identity(receiver) == "BEEF"


async def test_weak_station_is_still_identified(receiver: Receiver) -> None:
    receiver.vov.rssi_dbuv = 26
    await receiver.tuner.tune(99_900)
    assert await identity(receiver, 8) == "A201"


async def test_time_needs_two_that_agree(receiver: Receiver) -> None:
    await receiver.tuner.tune(99_900)
    await asyncio.sleep(61)
    assert receiver.tuner.clock_time() is None
    await asyncio.sleep(61)
    told = receiver.tuner.clock_time()
    assert told is not None
    assert told.utc_s == pytest.approx(EPOCH_MS / 1000 + told.at_s, abs=0.3)
    assert told.offset_min == 420
    await receiver.tuner.tune(92_100)
    assert receiver.tuner.clock_time() is None


async def test_beside_a_station_nothing_is_told(receiver: Receiver) -> None:
    await receiver.tuner.tune(99_800)
    assert (await receiver.tuner.signal()).rssi_dbuv == 0


async def test_scan_makes_a_table(receiver: Receiver) -> None:
    found: list[int] = []
    table = await receiver.tuner.scan(found=lambda one: found.append(one.frequency_khz))
    assert [(one.frequency_khz, one.rssi_dbuv, one.pi, one.ps) for one in table] == [
        (92_100, 40, "B202", "TINH"),
        (99_900, 55, "A201", "VOV1"),
    ]
    assert found == [92_100, 99_900]
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"


async def test_scan_begins_on_a_station(receiver: Receiver) -> None:
    table = await receiver.tuner.scan(from_khz=92_100, to_khz=95_000)
    assert [one.ps for one in table] == ["TINH"]


async def test_frequency_below_the_bands(receiver: Receiver) -> None:
    with pytest.raises(CardLostError, match="RDA5807M"):
        await receiver.tuner.tune(66_500)
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"
    with pytest.raises(CardLostError, match="RDA5807M"):
        await receiver.tuner.tune(66_500)
    still = await receiver.tuner.signal()
    assert (still.frequency_khz, still.pi) == (99_900, "A201")


async def test_chip_that_vanishes_comes_back(receiver: Receiver) -> None:
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"
    receiver.chip.gone = True
    with pytest.raises(CardLostError, match="does not answer"):
        await receiver.tuner.signal()
    with pytest.raises(CardLostError):
        await receiver.tuner.tune(99_900)
    receiver.chip.gone = False
    await receiver.tuner.tune(99_900)
    assert (await receiver.tuner.signal()).pi is None
    assert await identity(receiver) == "A201"


async def test_supply_dips_for_a_moment(receiver: Receiver) -> None:
    await receiver.tuner.tune(99_900)
    receiver.chip.lose_power()
    with pytest.raises(CardLostError):
        await receiver.tuner.signal()
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"


async def test_cancelled_tuning_leaves_no_trace(receiver: Receiver) -> None:
    await receiver.tuner.tune(92_100)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await receiver.tuner.tune(99_900)
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"


async def test_station_is_tuned_to_again_after_a_slot_was_withdrawn(receiver: Receiver) -> None:
    """Else the gate would look at 0 kHz, where no station is, until somebody plans another frequency."""
    await receiver.tuner.tune(92_100)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await receiver.tuner.tune(99_900)
    with pytest.raises(CardLostError, match="tuned to nothing"):
        await receiver.tuner.signal()
    await receiver.tuner.tune(92_100)
    assert (await receiver.tuner.signal()).frequency_khz == 92_100


async def test_meter_is_silent_while_the_tuner_is_reset(receiver: Receiver) -> None:
    """Its data line is pulled low for that, and what the meter reads then is nobody's level."""
    quiet = list[bool]()

    @asynccontextmanager
    async def lent() -> AsyncIterator[None]:
        quiet.append(True)
        yield
        quiet.append(False)

    def hold(low: bool) -> None:
        assert quiet and quiet[-1], "somebody may be talking"
        receiver.bus.hold(low)

    driver = Si4703(receiver.bus, reset=receiver.chip.reset, hold_sdio=hold)
    tuner = Si4703Tuner(driver, ChipCapture(LoopClock(), receiver.ether, receiver.chip), quiet=lent)
    await tuner.check()
    await tuner.close()
    assert quiet == [True, False]


async def test_spark_on_the_bus_does_not_interrupt_the_station(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await receiver.tuner.tune(99_900)
    assert await identity(receiver) == "A201"
    whole, messages = receiver.bus.read, itertools.count()

    def disturbed(address: int, count: int) -> bytes:
        if next(messages) % 20 == 0:
            raise OSError(121, "nobody acknowledges")
        return whole(address, count)

    monkeypatch.setattr(receiver.bus, "read", disturbed)
    for _ in range(30):
        await asyncio.sleep(1)
        assert (await receiver.tuner.signal()).pi == "A201"
    assert next(messages) > 100


async def test_stuck_data_line(receiver: Receiver) -> None:
    receiver.bus.stuck = True
    with pytest.raises(CardLostError):
        await receiver.tuner.tune(99_900)
    receiver.bus.stuck = False
    await receiver.tuner.tune(99_900)
