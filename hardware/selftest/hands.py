"""What a hand finds at the box: buttons, key switch and lamps."""

from __future__ import annotations

import asyncio
from typing import Final

from hardware.i18n import gettext as _
from hardware.interfaces import Button, Glow, LampStates, Pressed
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result

_PRESS_S: Final = 10.0
_HELD_S: Final = 0.5
_LIT_S: Final = 1.5


async def try_buttons(bench: Bench) -> Finding:
    """Asks for each in turn; with nobody there it only looks whether one is held down, which none should be."""
    panel, fitted = bench.parts.panel, [Button(one) for one in bench.parts.buttons]
    if panel is None or not fitted:
        return Finding(Result.ABSENT, _("There are no buttons."))
    presses: asyncio.Queue[Pressed] = asyncio.Queue()

    async def follow() -> None:
        async for pressed in panel.presses():
            presses.put_nowait(pressed)

    following = asyncio.create_task(follow())
    try:
        await asyncio.sleep(_HELD_S)
        held = _held(presses)
        answered = [one for one in fitted if await _pressed(bench, presses, one)] if bench.technician.present else []
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    return _judged_buttons(bench, fitted, held, answered)


def _held(presses: asyncio.Queue[Pressed]) -> list[Button]:
    held: dict[Button, bool] = {}
    while not presses.empty():
        one = presses.get_nowait()
        held[one.button] = one.down
    return [button for button, down in held.items() if down]


async def _pressed(bench: Bench, presses: asyncio.Queue[Pressed], button: Button) -> bool:
    bench.technician.say(
        _("Press or turn: %(button)s (%(seconds)d s) …") % {"button": _name(button), "seconds": _PRESS_S}
    )
    try:
        async with asyncio.timeout(_PRESS_S):
            while True:
                one = await presses.get()
                if one.button is button and one.down:
                    bench.technician.say(_("It answers. Let go again."))
                    return True
    except TimeoutError:
        bench.technician.say(_("It did not answer."))
        return False


def _name(button: Button) -> str:
    return {
        Button.TALK: _("the talk button"),
        Button.KEY: _("the emergency key switch"),
        Button.STOP: _("the stop button"),
        Button.MESSAGE_1: _("message button 1"),
        Button.MESSAGE_2: _("message button 2"),
        Button.MESSAGE_3: _("message button 3"),
    }[button]


def _judged_buttons(bench: Bench, fitted: list[Button], held: list[Button], answered: list[Button]) -> Finding:
    figures: dict[str, Figure] = {f"{one}_held": one in held for one in fitted}
    if bench.technician.present:
        figures |= {f"{one}_answers": one in answered for one in fitted}
    if held:
        found = _("Held down: %(buttons)s") % {"buttons": ", ".join(map(_name, held))}
        return Finding(
            Result.FAIL, found, _("It is stuck, or its wires touch: a button closes its pin to ground."), figures
        )
    dumb = [one for one in fitted if one not in answered] if bench.technician.present else []
    if dumb:
        found = _("No answer from: %(buttons)s") % {"buttons": ", ".join(map(_name, dumb))}
        return Finding(Result.FAIL, found, _("Check its two wires against the pin table in docs/wiring.md."), figures)
    if not bench.technician.present:
        return Finding(
            Result.OK, _("None of %(count)d is stuck; nobody pressed them.") % {"count": len(fitted)}, "", figures
        )
    return Finding(Result.OK, _("All %(count)d answer.") % {"count": len(fitted)}, figures=figures)


async def try_lamps(bench: Bench) -> Finding:
    """Lights one after the other and asks whether it was seen."""
    lamps = bench.parts.lamps
    if lamps is None:
        return Finding(Result.ABSENT, _("There are no lamps."))
    states = {
        _("on air"): LampStates(on_air=Glow.ON),
        _("link"): LampStates(link=Glow.ON),
        _("fault"): LampStates(fault=Glow.ON),
    }
    try:
        for name, state in states.items():
            lamps.show(state)
            if bench.technician.present:
                bench.technician.say(_("Lamp “%(name)s” is lit …") % {"name": name})
            await asyncio.sleep(_LIT_S if bench.technician.present else 0.2)
    finally:
        lamps.show(LampStates())
    seen = await bench.technician.confirm(_("Did all of them light up, one after the other, and are they dark now?"))
    if seen is None:
        return Finding(Result.OK, _("All were lit; nobody looked."), figures={"seen": False})
    if not seen:
        advice = _("Check wires, resistors and active_high in board.json.")
        return Finding(Result.FAIL, _("Not all of them were seen."), advice, {"seen": False})
    return Finding(Result.OK, _("All were seen."), figures={"seen": True})
