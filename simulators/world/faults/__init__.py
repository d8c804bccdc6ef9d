"""What can go wrong, a file for each part of the world; each names its kinds of happenings in `KINDS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulators.world.faults import (
    attackers,
    audio,
    authority,
    broker,
    clocks,
    controller,
    emergencies,
    endings,
    haste,
    machine,
    network,
    panel,
    people,
    power,
    radio,
    rehearsed,
    storage,
    taken,
)
from simulators.world.plan import Kind

KINDS: Final[Mapping[str, Kind]] = {
    **attackers.KINDS,
    **audio.KINDS,
    **authority.KINDS,
    **broker.KINDS,
    **clocks.KINDS,
    **controller.KINDS,
    **emergencies.KINDS,
    **endings.KINDS,
    **haste.KINDS,
    **machine.KINDS,
    **network.KINDS,
    **panel.KINDS,
    **people.KINDS,
    **power.KINDS,
    **radio.KINDS,
    **rehearsed.KINDS,
    **storage.KINDS,
    **taken.KINDS,
}
