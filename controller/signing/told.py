"""What devices say they obey, where the database may know less: an older backup was put in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from controller.devices.keys import ROSTER
from protocol.units import UnitPath

LEAP_MAX: Final = 1000
"""So many versions of one document are signed between two backups at most; who tells of more is not believed."""

ToldVersions = Mapping[tuple[UnitPath, str], int]
"""The highest version by unit and kind."""


def told_versions(app: web.Application) -> ToldVersions:
    """What devices of this controller tell now; nothing where it looks after none."""
    roster = app.get(ROSTER)
    return {} if roster is None else roster.versions_told()


def following(stored: int, told: int) -> int:
    """The version after both.

    Reports are unsigned, so whoever speaks in a device's name can make the number grow, but never use it up.
    """
    return max(stored, told if told <= stored + LEAP_MAX else 0) + 1
