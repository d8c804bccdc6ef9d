"""What is told to a device that asks."""

from __future__ import annotations

import asyncio

from controller.signing.shelf import ANSWER_BYTES_MAX, Shelf, Spoken, without_cancelled
from protocol.alert import Alert, Cancel, Part
from protocol.clock import WallMs
from protocol.units import UnitPath

COMMUNE, OTHER = UnitPath("vn/92/31528"), UnitPath("vn/92/31673")
PLACE = UnitPath(f"{COMMUNE}/c01")


def spoken(name: str, *targets: UnitPath) -> Spoken:
    alert = Alert(UnitPath("vn/92"), name, 1, WallMs(0), WallMs(1000), 3, targets, (Part("vi", "Lũ"),))
    return Spoken(name, alert, f"envelope of {name}")


def cancel(name: str, *targets: UnitPath) -> Spoken:
    made = Cancel(UnitPath("vn/92"), name, WallMs(0), WallMs(1000), targets)
    return Spoken(f"cancel {name}", made, f"cancel of {name}")


def test_cancelled_alert_is_left_out() -> None:
    kept = without_cancelled([cancel("a", COMMUNE), spoken("a", COMMUNE), spoken("b", COMMUNE)])
    assert [one.digest for one in kept] == ["cancel a", "b"]


async def test_only_those_addressed_are_told() -> None:
    shelf = Shelf()
    shelf.put_spoken([spoken("a", COMMUNE), spoken("b", OTHER), spoken("c", PLACE)])
    assert shelf.answer(PLACE).alerts == ("envelope of a", "envelope of c")
    shelf.close()


async def test_cursor_changes_with_the_parcels_above() -> None:
    shelf = Shelf()
    empty = shelf.answer(PLACE).cursor
    shelf.put_parcel(UnitPath("vn/92"), b"one")
    province = shelf.answer(PLACE).cursor
    shelf.put_parcel(OTHER, b"two")
    assert empty != province == shelf.answer(PLACE).cursor
    shelf.close()


async def test_nearest_parcels_fit_first() -> None:
    shelf = Shelf()
    for unit in ("vn", "vn/92", COMMUNE):
        shelf.put_parcel(UnitPath(unit), unit.encode() * (ANSWER_BYTES_MAX // 2 // len(unit)))
    assert [one[:11] for one in shelf.answer(PLACE).parcels] == ["vn/92vn/92v", COMMUNE]
    shelf.close()


async def test_nobody_waits_for_a_service_that_stopped() -> None:
    shelf = Shelf()
    waiting = asyncio.create_task(shelf.wait(seconds=50))
    await asyncio.sleep(0)
    shelf.close()
    await asyncio.wait_for(waiting, 1)
    await asyncio.wait_for(shelf.wait(seconds=50), 1)
