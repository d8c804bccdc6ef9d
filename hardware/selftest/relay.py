"""The amplifier's relay, and the guardian that may own it."""

from __future__ import annotations

import asyncio
from typing import Final

from hardware.i18n import gettext as _
from hardware.interfaces import Guardian, GuardianState
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result

_SETTLE_S: Final = 1.2
"""The meter tells the level of the last second."""
_GUARDIAN_S: Final = 8.0
_LOOK_S: Final = 0.25
_RESETS_MANY: Final = 100


async def try_relay(bench: Bench) -> Finding:
    """Switches the amplifier on and off in silence; the meter sees its hiss, the technician hears the click."""
    amplifier = bench.parts.amplifier
    if amplifier is None:
        return Finding(Result.ABSENT, _("The amplifier is not switched by this board."))
    if refusal := await bench.permission.refusal():
        return Finding(Result.WARN, _("Not tried."), refusal)
    figures: dict[str, Figure] = {}
    try:
        _metered(bench, figures, "off_cdb")
        await amplifier.switch(True)
        await asyncio.sleep(_SETTLE_S)
        _metered(bench, figures, "on_cdb")
    finally:
        await amplifier.switch(False)
    clicked = await bench.technician.confirm(_("Did the relay click twice, or the amplifier's lamp go on and off?"))
    if clicked is False:
        advice = _("Check the relay board's supply and wire, and active_high in board.json.")
        return Finding(Result.FAIL, _("It was switched, and nothing moved."), advice, figures)
    found = _("It was switched on and off.")
    if "on_cdb" in figures and "off_cdb" in figures:
        levels = {"off": int(figures["off_cdb"]) / 100, "on": int(figures["on_cdb"]) / 100}
        found += " " + _("Line: %(off)s dB off, %(on)s dB on.") % levels
    return Finding(Result.OK, found, figures=figures)


def _metered(bench: Bench, figures: dict[str, Figure], name: str) -> None:
    level_cdb = None if bench.parts.meter is None else bench.parts.meter.level_cdb()
    if level_cdb is not None:
        figures[name] = level_cdb


async def heard_of(guardian: Guardian, *, source: str = "") -> GuardianState | None:
    """What the guardian says once it lets this source through, or once it says anything; its last word in time."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + _GUARDIAN_S
    while True:
        state = guardian.state()
        if loop.time() >= until_s or (state is not None and source in ("", state.source)):
            return state
        await asyncio.sleep(_LOOK_S)


async def try_guardian(bench: Bench) -> Finding:
    """Waits until it has heard our beats, and reads what it says. The plan it holds stays as it is."""
    guardian = bench.parts.guardian
    if guardian is None:
        return Finding(Result.ABSENT, _("There is no guardian."))
    state = await heard_of(guardian)
    if state is None:
        advice = _("Check its supply and the two crossed wires of the UART, and that both hold the same key.")
        return Finding(Result.FAIL, _("It does not answer."), advice)
    figures: dict[str, Figure] = {
        "source": state.source,
        "plan_version": state.plan_version,
        "boots": state.boots,
        "reset_cause": state.reset_cause,
        "clock_refused": state.clock_refused,
    }
    words = _("lets through: %(source)s; plan %(plan)d; started %(boots)d times, last by %(cause)s")
    found = words % {
        "source": state.source,
        "plan": state.plan_version,
        "boots": state.boots,
        "cause": state.reset_cause,
    }
    result, advice = Result.OK, ""
    if state.reset_cause == "watchdog":
        result, advice = Result.WARN, _("Its watchdog started it anew. If the number grows, look at its supply.")
    elif state.boots > _RESETS_MANY:
        result, advice = Result.WARN, _("It has started very often: look at its supply.")
    elif state.plan_version == 0:
        result, advice = Result.WARN, _("It holds no plan yet, so it keeps silence when the computer is dead.")
    return Finding(result, found, advice, figures)
