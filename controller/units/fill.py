"""Fills the tree with a province of 2025 and all its communes, from the package `vietnam-provinces`."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection
from vietnam_provinces import Province, ProvinceCode, Ward

from controller.units.domain import Unit
from controller.units.queries import add_units, unit_at
from protocol.units import UnitPath

NATION = UnitPath("vn")
SINCE = "2025-07-01"
"""The day on which the districts ended and the provinces merged."""


def province_units(code: int) -> tuple[Unit, ...]:
    """The province and its communes, each with its official code as the last segment."""
    province = Province.from_code(ProvinceCode(code))
    path = UnitPath(f"{NATION}/{code:02}")
    wards = Ward.iter_by_province(ProvinceCode(code))
    communes = tuple(
        _unit(UnitPath(f"{path}/{ward.code.value:05}"), ward.name, ward.division_type.value) for ward in wards
    )
    return (_unit(path, province.name, province.division_type.value), *communes)


def _unit(path: UnitPath, name: str, label: str) -> Unit:
    return Unit(path, " ".join(name.split()), label, population=None, households=None, valid_from=SINCE)


async def fill_province(connection: AsyncConnection, code: int) -> int:
    """Writes the nation, the province and its communes where they are missing; gives how many were new."""
    nation = Unit(NATION, "Việt Nam", "quốc gia", population=None, households=None, valid_from="1945-09-02")
    new = [unit for unit in (nation, *province_units(code)) if await unit_at(connection, unit.path) is None]
    await add_units(connection, new)
    return len(new)
