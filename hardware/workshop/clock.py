"""Setting the clock chip by a watch: after a new battery, where no network tells the hour."""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from hardware.board_file import BoardFile
from hardware.i18n import gettext as _
from hardware.selftest.asking import means_yes
from hardware.selftest.fitting import clock_alone
from hardware.selftest.parts import Parts
from hardware.selftest.quiet import VIET_NAM
from hardware.workshop.place import Place
from hardware.workshop.terminal import Terminal

Made = Parts | Awaitable[Parts]
_YEAR_MIN: Final = 2026
_YEAR_MAX: Final = 2099
_WITHIN_S: Final = 20.0
_TYPED: Final = re.compile(
    r"(\d{1,2})\s*[:hg.]\s*(\d{2})(?:\s*[:.]\s*(\d{2}))?\s+(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII
)


def typed_time(text: str) -> datetime | None:
    """A time as it is written in Vietnam, `14:05 23/11/2026` or `14h05 23-11-2026`; None for anything else."""
    found = _TYPED.fullmatch(text.strip().lower())
    if found is None:
        return None
    hour, minute, second, day, month, year = (int(one or 0) for one in found.groups())
    try:
        told = datetime(year, month, day, hour, minute, second, tzinfo=VIET_NAM)
    except ValueError:
        return None
    return told if _YEAR_MIN <= year <= _YEAR_MAX else None


def set_clock_chip(terminal: Terminal, place: Place, *, make: Callable[[BoardFile], Made] = clock_alone) -> None:
    """Shows what computer and chip say, asks for the time, and sets the chip to it. Raises PortError."""
    board = place.board()
    if board.clock_chip is None:
        terminal.say(_("board.json names no clock chip."))
        return
    # Questions are asked between the runs of the loop, where Ctrl-C interrupts them.
    with place.alone(), asyncio.Runner() as runner:
        parts = runner.run(_made(make, board))
        try:
            runner.run(_told(terminal, parts))
            utc_s = _asked(terminal, parts)
            if utc_s is None:
                terminal.say(_("Nothing was changed."))
                return
            runner.run(_set(parts, utc_s))
            runner.run(_told(terminal, parts))
        finally:
            if parts.close is not None:
                runner.run(_closed(parts.close))


async def _made(make: Callable[[BoardFile], Made], board: BoardFile) -> Parts:
    made = make(board)
    return await made if inspect.isawaitable(made) else made


async def _closed(close: Callable[[], Awaitable[None]]) -> None:
    await close()


async def _set(parts: Parts, utc_s: Callable[[], float]) -> None:
    assert parts.set_clock_chip is not None, "whoever asks for the time has looked"
    begins_s = int(utc_s()) + 1  # a second begins in the chip when it is set
    await asyncio.sleep(begins_s - utc_s())
    await asyncio.wait_for(parts.set_clock_chip(begins_s), _WITHIN_S)


async def _told(terminal: Terminal, parts: Parts) -> None:
    chip = None if parts.clock_chip is None else await asyncio.wait_for(parts.clock_chip(), _WITHIN_S)
    stopped = _("it has stopped or was never set")
    terminal.say(_("Clock chip: %(time)s") % {"time": stopped if chip is None else _shown(chip)})


def _asked(terminal: Terminal, parts: Parts) -> Callable[[], float] | None:
    """A clock that runs on from what was typed, in seconds since 1970; None when nothing is to be changed."""
    if parts.set_clock_chip is None:
        terminal.say(_("The system itself sets this clock chip; it cannot be set here."))
        return None
    terminal.say(_("This computer: %(time)s") % {"time": _shown(datetime.now(VIET_NAM))})
    terminal.say(_("Type the time by your watch, like 14:05 23/11/2026, and press Enter as the minute begins."))
    answer = terminal.ask(_("Enter alone takes this computer's time:"))
    pressed_s = time.monotonic()
    told = typed_time(answer) if answer else datetime.now(VIET_NAM)
    if told is None:
        terminal.say(_("That is no time."))
        return None
    if told.year < _YEAR_MIN:
        terminal.say(_("This computer does not know the time."))
        return None
    offset_s = told.timestamp() - pressed_s
    if not means_yes(terminal.ask(_("The clock chip is set to %(time)s. [y/N]") % {"time": _shown(told)})):
        return None
    return lambda: time.monotonic() + offset_s


def _shown(at: datetime) -> str:
    return f"{at.astimezone(VIET_NAM):%H:%M:%S %d/%m/%Y}"
