"""Supply and heat: most boxes that fall silent do so for a weak supply or a hot board, and both leave flags."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from hardware.i18n import gettext as _
from hardware.power import PowerFlags, read_flags
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result

_WARM_C: Final = 70.0
_HOT_C: Final = 80.0
"""A Raspberry Pi slows down from 80 °C on."""
_BELIEVABLE_C: Final = (-40.0, 150.0)


async def try_power(bench: Bench) -> Finding:
    """Reads the under-voltage flags where this computer has them."""
    told = await asyncio.to_thread(read_flags, bench.system)
    if told is None:
        return Finding(Result.ABSENT, _("This computer does not tell about its supply."))
    figures: dict[str, Figure] = {name: bool(getattr(told, name)) for name in PowerFlags.__slots__}
    advice = _("Use a supply of 5.1 V and 3 A or more with a short, thick cable; measure at the board's pins.")
    if told.under_voltage:
        return Finding(Result.FAIL, _("The voltage is too low right now."), advice, figures)
    if told.under_voltage_since_boot:
        return Finding(Result.WARN, _("The voltage was too low at least once since the start."), advice, figures)
    return Finding(Result.OK, _("The voltage was high enough since the start."), figures=figures)


async def try_heat(bench: Bench) -> Finding:
    """The hottest of the board's sensors."""
    found_c = [one for one in map(_celsius, _sensors(bench.system)) if one is not None]
    if not found_c:
        return Finding(Result.ABSENT, _("No temperature can be read here."))
    hottest_c = max(found_c)
    figures: dict[str, Figure] = {"hottest_c": hottest_c}
    found = _("%(celsius)s °C") % {"celsius": hottest_c}
    if hottest_c >= _HOT_C:
        return Finding(Result.FAIL, found, _("Too hot: shade the box, clean its vents, fit a heat sink."), figures)
    if hottest_c >= _WARM_C:
        return Finding(Result.WARN, found, _("Warm. At noon in summer it will be hotter: shade the box."), figures)
    return Finding(Result.OK, found, figures=figures)


def _sensors(system: Path) -> list[Path]:
    return sorted((system / "sys/class/thermal").glob("thermal_zone*/temp"))[:32]


def _celsius(path: Path) -> float | None:
    try:
        with path.open() as file:
            value = round(int(file.read(16)) / 1000, 1)
    except (OSError, ValueError):
        return None
    low, high = _BELIEVABLE_C
    return value if low <= value <= high else None
