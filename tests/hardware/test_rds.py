"""Groups of RDS with known answers, with errors, and with rubbish."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from hardware.i18n import CATALOGUE
from hardware.rds import Decoder, Group, clock_time, parse_group
from hardware.rds_listing import lines_of, listing, main
from simulators.rds_encoder import name_groups, text_groups, time_group
from tests.fuzz.mutation import FOREIGN

PI = 0xA201
Blocks = tuple[int, int, int, int]


def taught(*groups: Blocks, times: int = 1, errors: tuple[int, ...] = (0, 0, 0, 0)) -> Decoder:
    decoder = Decoder()
    for _ in range(times):
        for blocks in groups:
            decoder.feed(Group(blocks, errors))
    return decoder


def test_station_tells_its_name() -> None:
    decoder = taught(*name_groups(PI, "VOV1", pty=3, tp=True, ta=True))
    assert (decoder.pi, decoder.ps, decoder.pty, decoder.tp, decoder.ta) == ("A201", "VOV1", 3, True, True)


def test_version_b_repeats_the_identity() -> None:
    first, second, *_ = name_groups(PI, "VOV GT", version_b=True)
    decoder = taught(first, second)
    assert decoder.pi == "A201"
    assert taught(*name_groups(PI, "VOV GT", version_b=True)).ps == "VOV GT"


def test_encoder_that_leaves_zeros() -> None:
    groups = [(a, b, 0, d) for a, b, _, d in name_groups(PI, "KRKA", version_b=True)]
    assert taught(*groups).pi == "A201"


def test_identity_needs_a_majority() -> None:
    decoder = Decoder()
    for blocks in name_groups(PI, "VOV1"):
        decoder.feed(Group(blocks))
        decoder.feed(Group((0xBEEF, *blocks[1:])))
    assert decoder.pi is None or decoder.pi == "A201"
    for blocks in name_groups(PI, "VOV1") * 2:
        decoder.feed(Group(blocks))
    assert decoder.pi == "A201"


def test_another_station_takes_over() -> None:
    decoder = taught(*name_groups(PI, "VOV1"))
    for blocks in name_groups(0x1234, "PIRATE") * 3:
        decoder.feed(Group(blocks))
    assert (decoder.pi, decoder.ps) == ("1234", "PIRATE")


def test_lost_identity_is_not_believed() -> None:
    assert taught(*name_groups(PI, "VOV1"), times=3, errors=(2, 0, 0, 0)).pi is None


def test_corrected_name_needs_a_second_time() -> None:
    groups = name_groups(PI, "VOV1")
    assert taught(*groups, errors=(0, 1, 0, 1)).ps is None
    assert taught(*groups, times=2, errors=(0, 1, 0, 1)).ps == "VOV1"
    assert taught(*groups, times=9, errors=(0, 2, 0, 0)).ps is None, "a wrong address puts letters anywhere"


def test_changing_name_is_never_mixed() -> None:
    decoder = taught(*name_groups(PI, "TIN TUC"))
    seen = set()
    for blocks in name_groups(PI, "VOV1 FM"):
        decoder.feed(Group(blocks))
        seen.add(decoder.ps)
    assert seen == {"TIN TUC", "VOV1 FM"}


@pytest.mark.parametrize("version_b", [False, True])
def test_text_ends_where_it_says(version_b: bool) -> None:
    text = "Mua lon tren dien rong"
    assert taught(*text_groups(PI, text, version_b=version_b)).rt == text


def test_text_of_full_length() -> None:
    text = "".join(chr(65 + at % 26) for at in range(64))
    assert taught(*text_groups(PI, text)).rt == text
    assert taught(*text_groups(PI, text)[:15]).rt is None


def test_text_that_just_begins_again() -> None:
    """Some stations send neither an end mark nor all sixteen pieces."""
    pieces = text_groups(PI, "Ca nhac theo yeu cau\r")[:5]
    assert taught(*pieces, times=2).rt is None
    assert taught(*pieces, *pieces, pieces[0]).rt == "Ca nhac theo yeu cau"
    missed = taught(*pieces[:3], *pieces, *pieces)
    assert missed.rt is None or missed.rt == "Ca nhac theo yeu cau"


def test_new_text_replaces_the_old_at_once() -> None:
    decoder = taught(*text_groups(PI, "cu", flag=0))
    first, *rest = text_groups(PI, "moi hon", flag=1)
    decoder.feed(Group(first))
    assert decoder.rt is None
    for blocks in rest:
        decoder.feed(Group(blocks))
    assert decoder.rt == "moi hon"


@pytest.mark.parametrize(
    ("at", "offset_min"),
    [
        (datetime(2026, 11, 23, 16, 34, tzinfo=UTC), 420),
        (datetime(2024, 2, 29, 23, 59, tzinfo=UTC), -90),
        (datetime(2000, 1, 1, tzinfo=UTC), 0),
        (datetime(2099, 12, 31, 17, 0, tzinfo=UTC), 840),
    ],
)
def test_time_by_julian_day(at: datetime, offset_min: int) -> None:
    utc_s = int(at.timestamp())
    told = taught(time_group(PI, utc_s, offset_min)).ct
    assert told is not None
    assert (told.utc_s, told.offset_min) == (utc_s, offset_min)


def test_time_of_the_standards_own_example() -> None:
    """Annex G: Monday 6 September 1982 is day 45218; before this product, so it is nobody's time now."""
    assert (datetime(1982, 9, 6, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days + 40_587 == 45_218
    assert taught(time_group(PI, int(datetime(1982, 9, 6, tzinfo=UTC).timestamp()))).ct is None


def test_time_that_cannot_be() -> None:
    a, b, c, d = time_group(PI, 1_790_000_000)
    wrong: list[Blocks] = [
        (a, b, c | 1, d | 0xF000),
        (a, b, c, d | 0x0FC0),
        (a, b, c, d | 0x1F),
        (a, b | 3, 0xFFFE, d),
    ]
    for blocks in wrong:
        assert clock_time(Group(blocks)) is None
    for position in (1, 2, 3):
        errors = [0, 0, 0, 0]
        errors[position] = 1
        assert clock_time(Group((a, b, c, d), tuple(errors))) is None, "a corrected bit may be an hour"
    assert clock_time(Group((a, b | 0x0800, c, d))) is None


def test_characters_beyond_ascii() -> None:
    decoder = Decoder()
    for at, codes in enumerate((0x8290, 0x2480, 0x0041, 0xFE20)):
        decoder.feed(Group((PI, at, 0, codes)))
    assert decoder.ps == "éâ¤á Aŧ"


def test_lines_as_others_write_them() -> None:
    assert parse_group("A201 0408 2020 4142").blocks == (0xA201, 0x0408, 0x2020, 0x4142)
    assert parse_group("a201 0408 ---- 4142 @2026/11/23 12:00:00.0").errors == (0, 0, 3, 0)
    assert parse_group("A201 0408 2020 4142 0 1 2 3").errors == (0, 1, 2, 3)
    assert parse_group("A201 0408 ---- 4142 0100").errors == (0, 1, 3, 0)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "A201",
        "A201 0408 2020",
        "A201 0408 2020 414",
        "A201 0408 2020 +142",
        "A201 0408 2020 4142 9",
        "Ａ201 0 0 0",
        "A201 0408 2020 4142 00000",
        "A201 0408 2020 4142" + " " * 500,
        "@A201 0408 2020 4142",
        "1_00 0408 2020 4142",
    ],
)
def test_line_that_is_no_group(line: str) -> None:
    with pytest.raises(ValueError, match=r"blocks|four|longer"):
        parse_group(line)


def test_group_that_is_none() -> None:
    for blocks in ((1, 2, 3), (1, 2, 3, 0x10000), (-1, 0, 0, 0)):
        with pytest.raises(ValueError, match="blocks"):
            Group(blocks)
    with pytest.raises(ValueError, match="levels"):
        Group((1, 2, 3, 4), (0, 0, 0, 4))


def test_rubbish_of_any_kind() -> None:
    chance = random.Random(4)
    decoder = Decoder()
    for _ in range(20_000):
        blocks = tuple(chance.randrange(0x10000) for _ in range(4))
        decoder.feed(Group(blocks, tuple(chance.randrange(4) for _ in range(4))))
        assert decoder.ps is None or len(decoder.ps) <= 8
        assert decoder.rt is None or len(decoder.rt) <= 64
    for data in FOREIGN:
        assert list(listing(lines_of(io.BytesIO(data * 20))))


def hexadecimal(*groups: Blocks) -> list[str]:
    return [" ".join(f"{block:04X}" for block in blocks) for blocks in groups]


def test_command_prints_what_it_learns() -> None:
    groups = [*name_groups(PI, "VOV1"), *text_groups(PI, "Xin chao"), time_group(PI, 1_795_451_640)]
    lines = ["# a remark", *hexadecimal(*groups[:2]), "no group", *hexadecimal(*groups[2:])]
    done = subprocess.run(
        [sys.executable, "-m", "hardware.rds"], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "dòng 4 không phải là nhóm RDS" in done.stderr
    for words in ("     6  tên đài (PS): VOV1", "dòng chữ (RT): Xin chao", "2026-11-23 23:34 (+0700)", "A201"):
        assert words in done.stdout


def test_many_bad_lines_are_counted() -> None:
    CATALOGUE.use("en")
    complaints = [line for complaint, line in listing(["x"] * 500) if complaint]
    assert len(complaints) == 21
    assert complaints[-1] == "500 lines were no groups"


def test_endless_line_is_one_line() -> None:
    assert len(list(lines_of(io.BytesIO(b"A" * 5_000_000 + b"\nA201 0408 2020 4142\n")))) == 2


def test_command_says_what_it_reads(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "python -m hardware.rds" in capsys.readouterr().out
    assert main(["--lang", "en"], io.BytesIO(b"\n\n")) == 2
    assert "Nothing came on standard input.\nA line is four blocks" in capsys.readouterr().err


def test_command_numbers_lines_as_they_came(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "en"], io.BytesIO(b"\nA201 0408 E0CD 564F\n\nx\n")) == 1
    assert "line 4 is no group: four blocks are needed" in capsys.readouterr().err
