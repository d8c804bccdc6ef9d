"""The demo province fills an empty database once, and finds its people and loudspeakers again."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from controller.demo import COMMUNES, FILE, demo_places, read_demo
from controller.people.first_account import make_first
from tests.controller.running import run_controller

LESS = ("web", "people", "units", "audit")


@pytest.mark.slow
async def test_demo_people_sign_in_after_every_start(tmp_path: Path) -> None:
    for _ in range(2):
        async with run_controller(tmp_path, capabilities=LESS, demo=True) as controller:
            demo = read_demo(tmp_path / FILE)
            person = await controller.stranger().sign_in(demo.accounts[0].login, demo.accounts[0].password)
            assert "Xã Kế Sách" in await person.see("/units?q=ke sach")
    assert len(demo.devices) == 24
    assert len({one.token for one in demo.devices}) == 24
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert all(re.fullmatch(r"[a-z]+-[a-z]+-\d{4}", one.password) for one in demo.accounts)


@pytest.mark.slow
async def test_demo_places_are_named_for_the_signer(tmp_path: Path) -> None:
    async with run_controller(tmp_path, capabilities=LESS, demo=True):
        places = demo_places(read_demo(tmp_path / FILE))
    assert places["vn/92"]["loudspeakers"] == 24
    assert [places[one.path]["name"] for one in COMMUNES] == ["Xã Kế Sách", "Xã Long Phú", "Xã Trần Đề"]
    assert len(places) == 28


@pytest.mark.slow
async def test_first_technician_of_an_empty_controller(tmp_path: Path) -> None:
    password = await make_first(tmp_path, province=92, login="ky-thuat", name="Lê Quốc Việt")
    with pytest.raises(ValueError, match="already"):
        await make_first(tmp_path, province=92, login="ky-thuat", name="Lê Quốc Việt")
    async with run_controller(tmp_path, capabilities=LESS) as controller:
        person = await controller.stranger().sign_in("ky-thuat", password)
        assert "Thành phố Cần Thơ" in await person.see("/units")
