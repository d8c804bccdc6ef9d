"""What can go wrong, a file for each part of the world; each names its kinds of happenings in `KINDS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulators.world.faults import (
    attackers,
    authority,
    broker,
    controller,
    emergencies,
    haste,
    network,
    people,
    power,
    taken,
)
from simulators.world.plan import Kind

KINDS: Final[Mapping[str, Kind]] = {
    **attackers.KINDS,
    **authority.KINDS,
    **broker.KINDS,
    **controller.KINDS,
    **emergencies.KINDS,
    **haste.KINDS,
    **network.KINDS,
    **people.KINDS,
    **power.KINDS,
    **taken.KINDS,
}
