"""Whether a time server holds this machine's clock, as the agent and the self-test both ask it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARK: Final = Path("/run/loalang-ntp/held")
_MARK_S_MAX: Final = 30.0
_TIME_ERROR: Final = 5


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
    """Asks `adjtimex` and sets nothing (`modes` is 0).

    ntpd and systemd-timesyncd tell the kernel that they hold it, chrony only with `rtcsync`.
    """
    timex = _Timex()
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.byref(timex)))
    except (OSError, AttributeError):
        return KernelTime(held=False, error_ms_max=0.0)
    return KernelTime(held=0 <= state < _TIME_ERROR, error_ms_max=round(timex.maxerror / 1000, 1))


def daemon_is_synchronised(mark: Path = MARK, *, up_s: Callable[[], float] = time.monotonic) -> bool:
    """Whether the image's watcher saw chrony hold the clock lately: the file has the seconds since the boot of then.

    On Linux chrony tells the kernel only with `rtcsync`, and with that the kernel writes the clock chip as well,
    which then is no second source any more (chrony's `set_sync_status`). So the image runs it without.
    """
    try:
        with mark.open("rb") as file:
            told_s = float(file.read(32))
    except (OSError, ValueError):
        return False
    return 0 <= up_s() - told_s <= _MARK_S_MAX


def ntp_holds_the_clock() -> bool:
    """Whether anything trustworthy on this machine says so."""
    return daemon_is_synchronised() or kernel_time().held
