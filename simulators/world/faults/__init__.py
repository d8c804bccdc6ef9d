"""What can go wrong, a file for each part of the world; each names its kinds of happenings in `KINDS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulators.world.faults import authority, emergencies, haste, people, power
from simulators.world.plan import Kind

KINDS: Final[Mapping[str, Kind]] = {
    **authority.KINDS,
    **emergencies.KINDS,
    **haste.KINDS,
    **people.KINDS,
    **power.KINDS,
}
