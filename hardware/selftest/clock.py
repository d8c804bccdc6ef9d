"""The clocks: the system's, whether a time server holds it, the clock chip, and how far they are apart.

With a technician there, a chip that has stopped or contradicts the clock is set here: where no radio tells the time,
nobody else ever would (two sources must agree before the agent does it).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from hardware.errors import PortError
from hardware.i18n import gettext as _
from hardware.i18n import worded
from hardware.ntp import daemon_is_synchronised, kernel_time
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result
from hardware.selftest.quiet import VIET_NAM

_BELIEVABLE_YEAR: Final = 2026
_APART_S_MAX: Final = 60
"""Above this two clocks contradict each other, see the agent's rules of trust."""
_RTC: Final = "sys/class/rtc/rtc0/since_epoch"


@dataclass(frozen=True, slots=True)
class _Chip:
    """What the clock chip says; no time and no trouble: there is none."""

    time: datetime | None = None
    trouble: str = ""
    stopped: bool = False


async def try_clock(bench: Bench) -> Finding:
    """Compares what there is; a clock chip on our own bus and one that the kernel holds count the same."""
    now, kernel = bench.now(), kernel_time()
    held = kernel.held or daemon_is_synchronised()
    figures: dict[str, Figure] = {"system": now.isoformat(timespec="seconds"), "ntp_holds": held}
    if kernel.held:
        figures["ntp_error_ms_max"] = kernel.error_ms_max
    chip = await _chip(bench)
    if await _is_set(bench, chip):
        figures["chip_was_set"] = True
        now, chip = bench.now(), await _chip(bench)
    if chip.time is not None:
        figures["chip"] = chip.time.isoformat(timespec="seconds")
        figures["chip_apart_s"] = _apart_s(chip.time, now)
    result, advice = _judged(now, held, figures, chip.trouble)
    return Finding(result, _found(now, held, figures), advice, figures)


def _apart_s(chip: datetime, now: datetime) -> float:
    return round((chip - now).total_seconds(), 1)


async def _is_set(bench: Bench, chip: _Chip) -> bool:
    """Asks for the hour before it writes one: what this computer thinks may be as wrong as the chip."""
    set_chip, now = bench.parts.set_clock_chip, bench.now()
    wrong = chip.stopped if chip.time is None else abs(_apart_s(chip.time, now)) > _APART_S_MAX
    if set_chip is None or not wrong or now.year < _BELIEVABLE_YEAR:
        return False
    question = _("By this computer it is %(time)s. Is that right by your watch? Then the clock chip is set to it.")
    if not await bench.technician.confirm(question % {"time": _shown(now)}):
        return False
    right = bench.now()
    begins_s = int(right.timestamp()) + 1  # a second begins in the chip when it is set
    await asyncio.sleep(begins_s - right.timestamp())
    try:
        await set_chip(begins_s)
    except PortError as error:
        bench.technician.say(worded(error))
        return False
    return True


async def _chip(bench: Bench) -> _Chip:
    kernel_chip = _kernel_chip(bench.system)
    if kernel_chip is not None:
        return _Chip(kernel_chip)
    if bench.parts.clock_chip is None:
        return _Chip()
    try:
        told = await bench.parts.clock_chip()
    except PortError as error:
        return _Chip(trouble=_("The clock chip does not answer: %(why)s") % {"why": worded(error)})
    if told is None:
        trouble = _("The clock chip has stopped or was never set: put in a good battery and set it here.")
        return _Chip(trouble=trouble, stopped=True)
    return _Chip(told)


def _kernel_chip(system: Path) -> datetime | None:
    try:
        seconds = int((system / _RTC).read_text()[:20])
        return datetime.fromtimestamp(seconds, VIET_NAM)
    except (OSError, ValueError, OverflowError):
        return None


def _shown(at: datetime) -> str:
    return f"{at.astimezone(VIET_NAM):%H:%M:%S %d/%m/%Y}"


def _found(now: datetime, held: bool, figures: dict[str, Figure]) -> str:
    ntp = _("a time server holds it") if held else _("no time server holds it")
    chip = _("no clock chip")
    if "chip_apart_s" in figures:
        chip = _("the clock chip is %(apart)s s off") % {"apart": abs(float(figures["chip_apart_s"]))}
    return f"{_shown(now)}, {ntp}, {chip}"


def _judged(now: datetime, held: bool, figures: dict[str, Figure], trouble: str) -> tuple[Result, str]:
    if now.year < _BELIEVABLE_YEAR:
        return Result.FAIL, _("The clock is not set: connect the network, or set it, before programmes can play.")
    if trouble:
        return Result.FAIL, trouble
    if abs(float(figures.get("chip_apart_s", 0))) > _APART_S_MAX:
        return Result.FAIL, _("Clock and clock chip contradict each other: put in a good battery and set it here.")
    if not held and "chip" not in figures:
        return Result.WARN, _("Only the controller's word holds the time. Check the network, or fit a clock chip.")
    if not held:
        return Result.WARN, _("The network's time is not reached; the clock chip carries it meanwhile.")
    return Result.OK, ""
