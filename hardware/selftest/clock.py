"""The clocks: the system's, whether a time server holds it, the clock chip, and how far they are apart."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from hardware.errors import PortError
from hardware.i18n import gettext as _
from hardware.i18n import worded
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result
from hardware.selftest.quiet import VIET_NAM

_BELIEVABLE_YEAR: Final = 2026
_APART_S_MAX: Final = 60
"""Above this two clocks contradict each other, see the agent's rules of trust."""
_TIME_ERROR: Final = 5
_RTC: Final = "sys/class/rtc/rtc0/since_epoch"


class _Timex(ctypes.Structure):
    """The first fields of `struct timex`, see adjtimex(2); the rest is room that the kernel may fill."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("rest", ctypes.c_byte * 512),
    )


@dataclass(frozen=True, slots=True)
class KernelTime:
    """What the kernel thinks of its own clock: held by a time daemon, and wrong by at most so much."""

    held: bool
    error_ms_max: float


def kernel_time() -> KernelTime:
    """Reads it; sets nothing (`modes` is 0)."""
    timex = _Timex()
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.byref(timex)))
    except (OSError, AttributeError):
        return KernelTime(held=False, error_ms_max=0.0)
    return KernelTime(held=0 <= state < _TIME_ERROR, error_ms_max=round(timex.maxerror / 1000, 1))


async def try_clock(bench: Bench) -> Finding:
    """Compares what there is; a clock chip on our own bus and one that the kernel holds count the same."""
    now, kernel = bench.now(), kernel_time()
    figures: dict[str, Figure] = {"system": now.isoformat(timespec="seconds"), "ntp_holds": kernel.held}
    if kernel.held:
        figures["ntp_error_ms_max"] = kernel.error_ms_max
    chip, trouble = await _chip(bench)
    if chip is not None:
        figures["chip"] = chip.isoformat(timespec="seconds")
        figures["chip_apart_s"] = round((chip - now).total_seconds(), 1)
    result, advice = _judged(now, kernel, figures, trouble)
    return Finding(result, _found(now, kernel, figures), advice, figures)


async def _chip(bench: Bench) -> tuple[datetime | None, str]:
    kernel_chip = _kernel_chip(bench.system)
    if kernel_chip is not None:
        return kernel_chip, ""
    if bench.parts.clock_chip is None:
        return None, ""
    try:
        told = await bench.parts.clock_chip()
    except PortError as error:
        return None, _("The clock chip does not answer: %(why)s") % {"why": worded(error)}
    if told is None:
        return None, _("The clock chip has stopped. Replace its battery; the agent sets it again.")
    return told, ""


def _kernel_chip(system: Path) -> datetime | None:
    try:
        seconds = int((system / _RTC).read_text()[:20])
        return datetime.fromtimestamp(seconds, VIET_NAM)
    except (OSError, ValueError, OverflowError):
        return None


def _found(now: datetime, kernel: KernelTime, figures: dict[str, Figure]) -> str:
    ntp = _("a time server holds it") if kernel.held else _("no time server holds it")
    chip = _("no clock chip")
    if "chip_apart_s" in figures:
        chip = _("the clock chip is %(apart)s s off") % {"apart": abs(float(figures["chip_apart_s"]))}
    return f"{now.astimezone(VIET_NAM):%H:%M:%S %d/%m/%Y}, {ntp}, {chip}"


def _judged(now: datetime, kernel: KernelTime, figures: dict[str, Figure], trouble: str) -> tuple[Result, str]:
    if now.year < _BELIEVABLE_YEAR:
        return Result.FAIL, _("The clock is not set: connect the network, or set it, before programmes can play.")
    if trouble:
        return Result.FAIL, trouble
    if abs(float(figures.get("chip_apart_s", 0))) > _APART_S_MAX:
        return Result.FAIL, _("Clock and clock chip contradict each other: replace the chip's battery and set it.")
    if not kernel.held and "chip" not in figures:
        return Result.WARN, _("Only the controller's word holds the time. Check the network, or fit a clock chip.")
    if not kernel.held:
        return Result.WARN, _("The network's time is not reached; the clock chip carries it meanwhile.")
    return Result.OK, ""
