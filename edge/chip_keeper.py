"""Keeps the clock chip right. The agent alone sets it, and only by an hour that two sources agree about.

A chip that repeats what NTP says would be no second opinion, and whoever forges NTP would own both. So a chip that
runs is led slowly: a source that lies by less than the agreement allows can drag it by two seconds a day at most,
which is more than ten times what a DS3231 drifts. One that has stopped, or stands far beside two sources that agree
without it, is set.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from edge.core.clock_trust import AGREEMENT_MS
from edge.ports import CardLostError, ClockChip

FIRST_S: Final = 600.0
PERIOD_S: Final = 86_400.0
LED_MS_MAX: Final = 2000
_RIGHT_MS: Final = 1500
"""The chip tells whole seconds."""
_log = logging.getLogger(__name__)


async def keep_chip(chip: ClockChip, agreed_ms: Callable[[], int | None]) -> None:
    """Looks ten minutes after the start, when the sources have spoken, and then once a day, for ever.

    Args:
        agreed_ms: wall milliseconds while two sources agree, else None.
    """
    await asyncio.sleep(FIRST_S)
    while True:
        try:
            await _look(chip, agreed_ms)
        except CardLostError as error:
            _log.warning("the clock chip cannot be kept right: %s", error)
        await asyncio.sleep(PERIOD_S)


async def _look(chip: ClockChip, agreed_ms: Callable[[], int | None]) -> None:
    told_ms, right_ms = await chip.read_ms(), agreed_ms()
    if right_ms is None:
        return
    move_ms = _move_ms(told_ms, right_ms)
    if move_ms is None:
        return
    target_ms = (right_ms if told_ms is None else told_ms) + move_ms
    wait_ms = -target_ms % 1000  # a second begins in the chip when it is set
    await asyncio.sleep(wait_ms / 1000)
    await chip.set((target_ms + wait_ms) // 1000)
    _log.info("the clock chip was set, from %s to %d ms", told_ms, target_ms)


def _move_ms(told_ms: int | None, right_ms: int) -> int | None:
    """How far to move what the chip tells; None to leave it."""
    if told_ms is None:
        return 0
    off_ms = right_ms - told_ms
    if abs(off_ms) <= _RIGHT_MS:
        return None
    return off_ms if abs(off_ms) > AGREEMENT_MS else max(-LED_MS_MAX, min(LED_MS_MAX, off_ms))
