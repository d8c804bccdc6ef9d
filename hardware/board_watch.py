"""Who looks after the parts of a board: what was broken at the start is told first, then what the checks find."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Final

from hardware.access import Access
from hardware.board_chips import Chips
from hardware.board_file import BoardFile
from hardware.interfaces import Condition, Guardian, Part, Watch

if TYPE_CHECKING:
    from hardware.line_check import PilotedAmplifier
    from hardware.part_watch import Check

_WATCHED: Final = {
    "tuner": Part.TUNER,
    "meter": Part.METER,
    "clock_chip": Part.CLOCK_CHIP,
    "guardian": Part.GUARDIAN,
    "amplifier": Part.SPEAKER_LINE,
    "selector": Part.SPEAKER_LINE,
    "pilot": Part.SPEAKER_LINE,
}
"""Without amplifier or selector nothing reaches the line, without the pilot nobody knows; the detail says which."""
_GREETING_S: Final = 10.0
"""The guardian's first answer may take so long: it boots when the computer does."""


class BoardWatch:
    """Implements `hardware.interfaces.Watch`. The meter measures while somebody listens to it."""

    def __init__(self, broken: Mapping[str, str], checks: Watch) -> None:
        self._broken, self._checks = broken, checks

    async def conditions(self) -> AsyncIterator[Condition]:
        """See `hardware.interfaces.Watch`."""
        broken: dict[Part, str] = {}
        for name, part in _WATCHED.items():
            if name in self._broken:
                reason = self._broken[name]
                broken.setdefault(part, reason if name == part.value else f"{name}: {reason}")
        for part, detail in broken.items():
            yield Condition(part, False, detail)
        async for condition in self._checks.conditions():
            if condition.part not in broken or not condition.healthy:  # what was not opened stays so until the end
                yield condition


class GuardianCheck:
    """Implements `hardware.part_watch.Check`: whether the guardian answers."""

    part: Final = Part.GUARDIAN
    period_s: Final = 5.0

    def __init__(self, guardian: Guardian) -> None:
        self._guardian = guardian
        self._until_s = asyncio.get_running_loop().time() + _GREETING_S

    async def look(self) -> Condition | None:
        """None while it may still be booting."""
        state = self._guardian.state()
        if state is not None:
            return Condition(self.part, True, f"started {state.boots} times, last by {state.reset_cause}")
        if asyncio.get_running_loop().time() < self._until_s:
            return None
        return Condition(self.part, False, "it does not answer")


def make_watch(file: BoardFile, access: Access, chips: Chips, piloted: PilotedAmplifier | None) -> Watch:
    """The watch for what is fitted; the supply's flags are looked at on every board."""
    from hardware.part_watch import MeterCheck, PartWatch, TunerCheck
    from hardware.power import PowerCheck

    checks: list[Check] = [PowerCheck(root=access.root)]
    if chips.guardian is not None:
        checks.append(GuardianCheck(chips.guardian))
    if chips.own_tuner is not None:
        checks.append(TunerCheck(chips.own_tuner))
    if chips.clock is not None:
        from hardware.ds3231 import ClockChipCheck

        checks.append(ClockChipCheck(chips.clock))
    if chips.meter is None:
        return PartWatch(checks)
    checks.append(MeterCheck(chips.meter))
    if piloted is not None and file.meter is not None:
        from hardware.line_check import LineCheck, LineLimits

        limits = LineLimits(learned_ohm=file.meter.learned_ohm)
        checks.append(LineCheck(chips.meter, piloted, limits, sees_earth=file.meter.sees_earth))
    return PartWatch(checks, beside=(chips.meter.run,))
