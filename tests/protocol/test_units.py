import pytest

from protocol.units import UnitPath, addresses, ancestors, covers, depth, parent, unit_path

COMMUNE = UnitPath("vn/92/31498")


@pytest.mark.parametrize("text", ["vn", "vn/92", "vn/92/31498/c07", "a-1", "x" * 32, "/".join("abcdefgh")])
def test_path_that_is_one(text: str) -> None:
    assert unit_path(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "vn/",
        "/vn",
        "vn//92",
        "VN",
        "vn/92\n",
        "vn/92 ",
        "vn/+",
        "vn/#",
        "vn/..",
        "xã",
        "x" * 33,
        "/".join("abcdefghi"),
        "a/" * 10_000,
    ],
)
def test_path_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="unit path"):
        unit_path(text)


def test_covers_by_segment_not_by_prefix() -> None:
    assert covers(UnitPath("vn/92"), COMMUNE)
    assert covers(COMMUNE, COMMUNE)
    assert not covers(UnitPath("vn/9"), UnitPath("vn/92"))
    assert not covers(UnitPath("vn/92"), UnitPath("vn/920"))
    assert not covers(COMMUNE, UnitPath("vn/92"))


def test_ancestors_widest_first() -> None:
    assert ancestors(COMMUNE) == ("vn", "vn/92", "vn/92/31498")
    assert parent(COMMUNE) == "vn/92"
    assert parent(UnitPath("vn")) is None
    assert depth(COMMUNE) == 3


def test_addresses_when_one_target_covers() -> None:
    assert addresses([UnitPath("vn/1"), UnitPath("vn/92")], COMMUNE)
    assert not addresses([UnitPath("vn/1"), UnitPath("vn/9")], COMMUNE)
    assert not addresses([], COMMUNE)
