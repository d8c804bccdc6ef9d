"""The speaker line: its level at rest, and by a pilot tone of 25 Hz, which nobody hears, whether it is whole."""

from __future__ import annotations

import asyncio
from typing import Final

from hardware.i18n import gettext as _
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result

_WINDOW_S: Final = 1.2
"""The meter tells the level of the last second, and has just begun."""


async def try_line(bench: Bench) -> Finding:
    """Measures without a sound."""
    if bench.parts.meter is None:
        return Finding(Result.ABSENT, _("There is no line meter."))
    figures: dict[str, Figure] = {}
    await asyncio.sleep(_WINDOW_S)
    level_cdb = bench.parts.meter.level_cdb()
    if level_cdb is not None:
        figures["rest_cdb"] = level_cdb
    if bench.parts.line is None:
        if level_cdb is None:
            return Finding(Result.FAIL, _("The meter tells no level."), _("Check its I2C wires and its address."))
        found = _("At rest %(level)s dB; without a pilot the line itself is not checked.")
        return Finding(Result.OK, found % {"level": level_cdb / 100}, figures=figures)
    reading = await bench.parts.line.measure()
    if reading is None:
        return Finding(Result.WARN, _("There was sound in the way."), _("Try it again in silence."))
    figures |= {"pilot_v": round(reading.volts, 2), "line_ohm": round(reading.ohm, 1)}
    condition = await bench.parts.line.look()
    found = _("%(ohm)d ohm at 25 Hz") % {"ohm": round(reading.ohm)}
    if condition is not None and not condition.healthy:
        advice = _("Walk along the line: look for a torn or squeezed cable, water in a horn, a horn that is missing.")
        return Finding(Result.FAIL, f"{found}: {condition.detail}", advice, figures)
    return Finding(Result.OK, found, figures=figures)
