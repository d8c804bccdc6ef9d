"""The clock chip is set by two sources that agree, and led slowly while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.chip_keeper import FIRST_S, LED_MS_MAX, PERIOD_S, keep_chip
from hardware.ds3231 import ADDRESS, Ds3231
from simulators.ds3231_chip import Ds3231Chip
from simulators.i2c_bus import SimI2cBus

NOON_MS = 1_790_000_000_000


def now_ms() -> int:
    return NOON_MS + round(asyncio.get_running_loop().time() * 1000)


class Chip:
    """The driver over the model of the chip, without a thread; set to an offset from the true time, or stopped."""

    def __init__(self, off_ms: int | None) -> None:
        loop = asyncio.get_running_loop()
        self.model = Ds3231Chip(lambda: NOON_MS + loop.time() * 1000)
        bus = SimI2cBus()
        bus.chips[ADDRESS] = self.model
        self._driver = Ds3231(bus)
        if off_ms is not None:
            self._driver.set((now_ms() + off_ms) // 1000)

    async def read_ms(self) -> int | None:
        told = self._driver.read()
        return told.utc_s * 1000 if told.trusted else None

    async def set(self, utc_s: int) -> None:
        self._driver.set(utc_s)

    @property
    def off_ms(self) -> int | None:
        told = self._driver.read()
        return told.utc_s * 1000 - now_ms() if told.trusted else None


async def kept(chip: Chip, agreed_ms: Callable[[], int | None], *, for_s: float) -> None:
    task = asyncio.create_task(keep_chip(chip, agreed_ms))
    await asyncio.sleep(for_s)
    task.cancel()


async def test_a_chip_that_has_stopped_is_set() -> None:
    chip = Chip(None)
    await kept(chip, now_ms, for_s=FIRST_S + 2)
    assert chip.off_ms is not None and abs(chip.off_ms) <= 1002


async def test_nothing_is_set_while_the_hour_is_not_agreed() -> None:
    chip = Chip(None)
    await kept(chip, lambda: None, for_s=FIRST_S + PERIOD_S * 3)
    assert chip.off_ms is None


async def test_a_right_chip_is_left_alone() -> None:
    chip = Chip(1000)
    await kept(chip, now_ms, for_s=FIRST_S + PERIOD_S * 3)
    assert chip.off_ms is not None and 0 < chip.off_ms <= 1000


async def test_a_source_that_lies_a_little_drags_the_chip_by_two_seconds_a_day() -> None:
    chip = Chip(0)
    await kept(chip, lambda: now_ms() + 30_000, for_s=FIRST_S + PERIOD_S + 2)
    assert chip.off_ms is not None
    assert 0 < chip.off_ms <= 2 * (LED_MS_MAX + 1000)


async def test_a_chip_far_beside_two_that_agree_is_set() -> None:
    chip = Chip(-3_600_000)
    await kept(chip, now_ms, for_s=FIRST_S + 2)
    assert chip.off_ms is not None and abs(chip.off_ms) <= 1002


async def test_a_chip_that_was_away_is_set_the_next_day() -> None:
    chip = Chip(None)
    chip.model.gone = True
    await kept(chip, now_ms, for_s=FIRST_S + 1)
    chip.model.gone = False
    await kept(chip, now_ms, for_s=FIRST_S + PERIOD_S)
    assert chip.off_ms is not None
