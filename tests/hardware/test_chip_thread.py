"""A bus that hangs costs whoever waits for a chip, and nobody else."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hardware import chip_thread
from hardware.ads1115 import Ads1115
from hardware.chip_thread import BusHungError, ChipThread, in_chip_thread
from hardware.ds3231 import ClockChipCheck, Ds3231
from hardware.errors import CardLostError
from hardware.line_meter import VOLTAGE, LineMeter
from simulators.i2c_bus import SimI2cBus


class HungBus(SimI2cBus):
    """Its driver does not come back."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def write(self, address: int, data: bytes) -> None:
        """Waits for nobody knows what."""
        self.released.wait()
        super().write(address, data)


async def test_clock_chip_that_hangs_holds_no_file_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, each look took one of the few threads in which the agent writes its files, until none was left."""
    thread = ChipThread(patience_s=0.05)
    monkeypatch.setattr(chip_thread, "_CHIPS", thread)
    bus = HungBus()
    check, meter = ClockChipCheck(Ds3231(bus)), LineMeter(Ads1115(bus))
    before = threading.active_count()
    for _ in range(40):
        with pytest.raises(CardLostError, match="bus"):
            await check.look()
        with pytest.raises(CardLostError, match="bus"):
            await meter.look_uv(VOLTAGE)
    assert threading.active_count() - before <= 1
    assert await asyncio.to_thread(lambda: "written") == "written"
    bus.released.set()
    while True:
        try:
            assert await thread.run(lambda: "answers again") == "answers again"
            break
        except BusHungError:
            await asyncio.sleep(0.005)


async def test_tuner_is_not_reset_while_somebody_still_reads_it() -> None:
    """A call that was given up ends before the next begins."""
    order, begun, released = list[str](), threading.Event(), threading.Event()

    def read() -> None:
        begun.set()
        released.wait()
        order.append("read")

    reading = asyncio.create_task(in_chip_thread(read))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    reading.cancel()
    resetting = asyncio.create_task(in_chip_thread(lambda: order.append("reset")))
    await asyncio.sleep(0.01)
    released.set()
    await resetting
    assert order == ["read", "reset"]


async def test_converter_that_is_slow_by_its_own_word_is_no_hung_bus() -> None:
    def slow() -> None:
        raise TimeoutError("the conversion does not end")

    with pytest.raises(TimeoutError, match="conversion"):
        await in_chip_thread(slow)
