"""Whether a tone may sound now. A self-test at three in the morning must not wake the commune."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from hardware.i18n import gettext as _
from hardware.selftest.asking import Technician

VIET_NAM: Final = timezone(timedelta(hours=7))
NIGHT_BEGINS_H: Final = 21
NIGHT_ENDS_H: Final = 6
_BELIEVABLE_YEAR: Final = 2026
"""A board without battery and network starts in 1970 or at the day its system was built."""


def is_night(now: datetime) -> bool:
    """Whether it is, as far as the clock is right."""
    local = now.astimezone(VIET_NAM)
    return local.year >= _BELIEVABLE_YEAR and (local.hour >= NIGHT_BEGINS_H or local.hour < NIGHT_ENDS_H)


class SoundPermission:
    """Asked once for a whole run, just before the first sound.

    Args:
        now: the present, with a time zone.
        yes: permission by day was given on the command line.
        at_night: permission by night was given on the command line.
    """

    def __init__(self, technician: Technician, now: datetime, *, yes: bool, at_night: bool) -> None:
        self._technician, self._yes, self._at_night = technician, yes, at_night
        self._hour_known = now.astimezone(VIET_NAM).year >= _BELIEVABLE_YEAR
        self._night = is_night(now)
        self._refusal: str | None = None

    async def refusal(self) -> str:
        """Why nothing may sound, translated; empty when it may."""
        if self._refusal is None:
            self._refusal = await self._asked()
        return self._refusal

    async def _asked(self) -> str:
        if not self._hour_known and not self._at_night and not self._technician.present:
            return _("The clock is not set, so this may be the night: nothing is let sound without --yes-at-night.")
        if self._hour_known and self._night and not self._at_night:
            return _("It is between 21:00 and 06:00: nothing is let sound without --yes-at-night.")
        if self._yes and self._hour_known:
            return ""
        if self._yes and self._at_night:
            return ""
        question = _("The horns will sound for a few seconds, quietly. Is nobody up at the horn, and may it sound?")
        if await self._technician.confirm(question):
            return ""
        return _("Sounding was not permitted. Say yes next time, or give --yes.")
