"""Where loudspeakers should be after communes merged, moved or ended, and how many documents that takes."""

from __future__ import annotations

import pytest

from controller.placements.domain import (
    PLACEMENTS_IN_WORD_MAX,
    Proposal,
    Reason,
    Sited,
    bundles,
    common_ancestor,
    heir_of,
    plan,
)
from controller.units.domain import Unit
from protocol.clock import WallMs
from protocol.units import UnitPath

DAY = "2026-11-23"
A, B, C, P = (UnitPath(path) for path in ("vn/92/1", "vn/92/2", "vn/92/3", "vn/92"))


def unit(path: str, *, until: str | None = None, into: str | None = None) -> Unit:
    heir = UnitPath(into) if into else None
    return Unit(UnitPath(path), f"Xã {path}", "xã", None, None, "2025-07-01", until, heir)


def units(*found: Unit) -> dict[UnitPath, Unit]:
    return {one.path: one for one in (unit(P), *found)}


def sited(name: str, place: str, *, signed: bool = True, former: str | None = None) -> Sited:
    return Sited(name, name, UnitPath(place), UnitPath(former) if former else None, WallMs(1) if signed else None)


MERGED = units(unit(A, until=DAY, into=B), unit(f"{A}/ap1", until=DAY), unit(B), unit(C))


@pytest.mark.parametrize(
    ("found", "home", "heir"),
    [
        (MERGED, A, B),
        (MERGED, UnitPath(f"{A}/ap1"), B),
        (MERGED, B, B),
        (units(unit(A, until="2026-12-01", into=B), unit(B)), A, A),
        (units(unit(A, until=DAY, into=B), unit(B, until=DAY, into=C), unit(C)), A, C),
        (units(unit(A, until=DAY, into=C), unit(f"{A}/p", until=DAY), unit(C), unit(f"{C}/p")), f"{A}/p", f"{C}/p"),
        (units(unit(A, until=DAY)), A, None),
        (units(unit(A, until=DAY, into=B), unit(B, until=DAY, into=A)), A, None),
        (units(), A, None),
    ],
)  # fmt: skip
def test_heir_of_a_unit(found: dict[UnitPath, Unit], home: str, heir: str | None) -> None:
    assert heir_of(UnitPath(home), found, DAY) == heir


def test_merged_commune_brings_its_loudspeakers() -> None:
    devices = [sited("x1", f"{A}/c01"), sited("x2", f"{A}/c02"), sited("y1", f"{B}/c01"), sited("y3", f"{B}/c01-2")]
    made = plan(devices, MERGED, DAY)
    assert [(one.device.id, one.place, one.reason) for one in made.proposals] == [
        ("x1", f"{B}/c01-3", Reason.MOVED),
        ("x2", f"{B}/c02", Reason.MOVED),
    ]
    (bundle,) = bundles(made.proposals)
    assert bundle.scope == P
    assert [(one.placement.place, one.placement.former) for one in bundle.proposals] == [
        (f"{B}/c01-3", f"{A}/c01"),
        (f"{B}/c02", f"{A}/c02"),
    ]


def test_new_loudspeaker_waits_for_its_first_word() -> None:
    made = plan([sited("x1", f"{B}/c01", signed=False), sited("x2", f"{B}/c02")], MERGED, DAY)
    assert [(one.device.id, one.reason) for one in made.proposals] == [("x1", Reason.NEW)]
    (bundle,) = bundles(made.proposals)
    assert (bundle.scope, bundle.proposals[0].placement.former) == (B, None)


def test_unit_without_successor_strands_its_loudspeakers() -> None:
    made = plan([sited("x1", f"{A}/c01")], units(unit(A, until=DAY)), DAY)
    assert not made.proposals
    assert [one.id for one in made.stranded] == ["x1"]


def test_on_the_way_and_merged_again() -> None:
    """The new word names the place where it still stands."""
    found = units(unit(A, until=DAY, into=B), unit(B, until=DAY, into=C), unit(C))
    (proposal,) = plan([sited("x1", f"{B}/c01", former=f"{A}/c01")], found, DAY).proposals
    assert (proposal.placement.place, proposal.placement.former) == (f"{C}/c01", f"{A}/c01")


def test_many_are_signed_unit_by_unit() -> None:
    homes = [UnitPath(f"vn/92/{number}") for number in range(3)]
    devices = [sited(f"x{n}-{at}", f"{home}/c{at}", signed=False) for n, home in enumerate(homes) for at in range(60)]
    made = bundles(Proposal(one, Reason.NEW, one.place) for one in devices)
    assert [(one.scope, len(one.proposals)) for one in made] == [(home, 60) for home in homes]
    many = [sited(f"x{at}", f"{homes[0]}/c{at}", signed=False) for at in range(250)]
    made = bundles(Proposal(one, Reason.NEW, one.place) for one in many)
    assert [len(one.proposals) for one in made] == [PLACEMENTS_IN_WORD_MAX, PLACEMENTS_IN_WORD_MAX, 50]


def test_common_ancestor_by_segments() -> None:
    assert common_ancestor([UnitPath("vn/92/1"), UnitPath("vn/92/12")]) == "vn/92"
    assert common_ancestor([UnitPath("vn/92/1"), UnitPath("vn/9/1")]) == "vn"
    assert common_ancestor([UnitPath("vn/92/1")]) == "vn/92/1"
