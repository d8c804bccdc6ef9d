"""The dated tree: search without marks, merges and moves that delete nothing, scopes."""

from __future__ import annotations

import pytest

from controller.keys import ENGINE
from controller.store.engine import reading
from controller.units.domain import Unit, grow, matches, plain
from controller.units.fill import province_units
from controller.units.queries import people_below, unit_at
from protocol.units import UnitPath
from tests.controller.running import KE_SACH, LONG_PHU, TRAN_DE, RunningController

pytestmark = pytest.mark.slow


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return ("web", "people", "units", "audit")


def unit(path: str, name: str = "Ấp Một") -> Unit:
    return Unit(UnitPath(path), name, "ấp", population=None, households=None, valid_from="2025-07-01")


def test_province_has_its_103_communes() -> None:
    (top,) = grow(province_units(92))
    assert top.unit.name == "Thành phố Cần Thơ"
    assert top.size == 103


def test_unit_without_its_parent_stands_at_the_top() -> None:
    assert [one.unit.path for one in grow((unit("vn/92/1/a"), unit("vn/92/2", "Xã Hai")))] == ["vn/92/1/a", "vn/92/2"]


@pytest.mark.parametrize("typed", ["ke sach", "Kế Sách", "sach ke", "31528", "đa", "KE"])
def test_search_finds_without_marks(typed: str) -> None:
    kind = Unit(KE_SACH, "Xã Kế Sách Đại", "xã", population=None, households=None, valid_from="2025-07-01")
    assert matches(kind, typed)
    assert not matches(kind, "tran de")


def test_plain_letters_of_vietnamese() -> None:
    assert plain("  Đường  Ủng ") == "duong ung"


async def test_search_page_stays_within_ones_units(controller: RunningController) -> None:
    assert "Xã Kế Sách" in await (await controller.person("author")).see("/units?q=ke+sach")
    assert "Không có đơn vị nào" in await (await controller.person("tran-de")).see("/units?q=ke+sach")


async def test_unit_of_others_is_not_found(controller: RunningController) -> None:
    await (await controller.person("tran-de")).see(f"/units/of/{KE_SACH}", status=404)
    await (await controller.person("tran-de")).see("/units/of/vn/92", status=404)


async def test_merged_unit_names_its_heir(controller: RunningController) -> None:
    technician = await controller.person("technician")
    answer = await technician.send(f"/units/merge/{KE_SACH}", {"into": LONG_PHU, "day": "2026-01-01"})
    assert "Đã ghi nhận việc sáp nhập" in answer.told
    assert "Từ ngày 01/01/2026 đơn vị này là Xã Long Phú" in answer.text
    assert "Không có đơn vị nào" in await technician.see("/units?q=ke+sach")


async def test_moved_unit_takes_its_parts_along(controller: RunningController) -> None:
    technician = await controller.person("technician")
    hamlet = {"name": "Ấp Một", "label": "ấp", "code": "a1", "day": "2025-07-01"}
    await technician.send(f"/units/add/{KE_SACH}", hamlet)
    answer = await technician.send(f"/units/move/{KE_SACH}", {"below": LONG_PHU, "day": "2026-01-01"})
    assert answer.path == f"/units/of/{LONG_PHU}/31528"
    assert "Ấp Một" in answer.text
    async with reading(controller.app[ENGINE]) as connection:
        old = await unit_at(connection, UnitPath(f"{KE_SACH}/a1"))
        new = await unit_at(connection, UnitPath(f"{LONG_PHU}/31528/a1"))
    assert old is not None and old.valid_until == "2026-01-01"
    assert new is not None and new.valid_from == "2026-01-01"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"into": KE_SACH, "day": "2026-01-01"}, "chính nó"),
        ({"into": LONG_PHU, "day": "2026-02-31"}, "không phải là một ngày"),
        ({"into": LONG_PHU, "day": "2025-07-01"}, "phải sau ngày"),
        ({"into": "vn/92/99999", "day": "2026-01-01"}, "không tồn tại"),
    ],
)
async def test_impossible_merge_is_explained(
    controller: RunningController, fields: dict[str, str], told: str
) -> None:
    technician = await controller.person("technician")
    assert told in (await technician.send(f"/units/merge/{KE_SACH}", fields)).told


async def test_commune_technician_merges_only_within(controller: RunningController) -> None:
    technician = await controller.person("ke-sach-kt")
    answer = await technician.send(f"/units/merge/{KE_SACH}", {"into": TRAN_DE, "day": "2026-01-01"})
    assert answer.status == 403
    assert (await technician.send(f"/units/end/{TRAN_DE}", {"day": "2026-01-01"})).status == 403


async def test_people_are_counted_once(controller: RunningController) -> None:
    technician = await controller.person("technician")
    for path, people in ((KE_SACH, "12.500"), (LONG_PHU, "20 000"), ("vn/92", "")):
        await technician.send(f"/units/change/{path}", {"name": "Đơn vị", "population": people, "households": ""})
    async with reading(controller.app[ENGINE]) as connection:
        assert await people_below(connection, (KE_SACH, LONG_PHU), day="2026-11-23") == 32_500
        assert await people_below(connection, (TRAN_DE,), day="2026-11-23") is None


async def test_programs_list_units(controller: RunningController) -> None:
    person = await controller.person("ke-sach")
    assert [one["path"] for one in (await person.call("GET", "/units"))["units"]] == [KE_SACH]
