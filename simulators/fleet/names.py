"""Who lives where in a fleet: the same answer in every process that asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from protocol.units import UnitPath

PROVINCE_CODE: Final = 92
PROVINCE: Final = UnitPath("vn/92")
DEVICES_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Resident:
    """A device and its place."""

    device: str
    place: UnitPath

    @property
    def token(self) -> str:
        """What it signs in with: nobody else is on this machine's loopback."""
        return f"token-{self.device}"


def resident(number: int, communes: Sequence[str]) -> Resident:
    """The n-th device; communes get one each in turn, so any share of the fleet is spread over the province.

    Args:
        communes: paths of the communes' units.
    """
    device = f"d{number:05d}"
    return Resident(device, UnitPath(f"{communes[number % len(communes)]}/{device}"))
