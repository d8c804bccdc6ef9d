"""The wiring handbook says what the boards' files say, pin by pin, and its drawings are the ones that are made."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from gpiozero.pins.pi import PiBoardInfo

from hardware.board_file import BoardFile, read_board
from provisioning.wiring.__main__ import DOCS, drawings, main, pages
from provisioning.wiring.board import BOARDS, HEADER, VARIANTS, Wire, load, parts
from provisioning.wiring.grid import BOX_WIDTH
from provisioning.wiring.purchase import ITEMS, dollars, totals_kvnd
from provisioning.wiring.svg import text_width
from provisioning.wiring.tables import filled

SVG = "{http://www.w3.org/2000/svg}"


def wires(variant: str) -> list[Wire]:
    return [wire for part in parts(load(variant)) for wire in part.wires]


def board(variant: str) -> BoardFile:
    return read_board(BOARDS / f"{variant}.json")


def header() -> dict[int, str]:
    """Every pin of a Raspberry Pi 3 B's header, as gpiozero knows it."""
    return {number: info.name for number, info in PiBoardInfo.from_revision(0xA02082).headers["J8"].pins.items()}


def test_committed_drawings_and_tables_are_the_ones_that_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, f"run script/wiring: {capsys.readouterr().out}"
    assert {path.name for path in drawings()} == {path.name for path in (DOCS / "wiring").iterdir()}


def test_every_board_has_a_drawing() -> None:
    assert set(VARIANTS) == {path.stem for path in BOARDS.glob("*.json")}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_pin_of_the_board_is_wired(variant: str) -> None:
    drawn = sorted(wire.bcm for wire in wires(variant) if wire.bcm is not None and not wire.signal)
    assert drawn == sorted(pin for _, pin in board(variant).pins())


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_wire_ends_at_its_pin(variant: str) -> None:
    names = header()
    for wire in wires(variant):
        if wire.bcm is not None:
            assert names[wire.pin] == f"GPIO{wire.bcm}", wire
        elif wire.pin:
            assert names[wire.pin].replace("V", " V") == {"3V3": "3 V3"}.get(wire.signal, wire.signal), wire


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_pin_is_used_twice(variant: str) -> None:
    used = [wire.pin for wire in wires(variant) if wire.pin]
    assert len(used) == len(set(used))


@pytest.mark.parametrize("variant", VARIANTS)
def test_chips_are_drawn_with_their_addresses(variant: str) -> None:
    text = drawings()[DOCS / "wiring" / f"{variant}.svg"]
    for _, address in board(variant).addresses():
        assert f"{address:#04x}" in text
    assert board(variant).sound.card in text


@pytest.mark.parametrize("variant", VARIANTS)
def test_relays_of_the_boards_do_not_click_at_power_on(variant: str) -> None:
    assert not board(variant).remarks()


def test_header_is_gpiozeros() -> None:
    assert {f"GPIO{bcm}": pin for bcm, pin in HEADER.items()}.items() <= {
        name: pin for pin, name in header().items()
    }.items()


@pytest.mark.parametrize("page", ["wiring.md", "wiring.vi.md"])
def test_guardians_pins_are_the_firmwares(page: str) -> None:
    source = ast.parse((Path(__file__).parents[2] / "hardware/guardian/pico.py").read_text())
    pins: dict[str, int] = {}
    for node in source.body:
        if isinstance(node, ast.Assign):
            names, values = (
                ast.unparse(node.targets[0]).strip("()").split(", "),
                ast.unparse(node.value).strip("()").split(", "),
            )
            pins |= {name: int(value) for name, value in zip(names, values, strict=False) if value.isdigit()}
    text = (DOCS / page).read_text()
    assert f"GP{pins['UART_TX']} TX, GP{pins['UART_RX']} RX" in text
    assert f"GP{pins['SDA']} SDA, GP{pins['SCL']} SCL" in text
    assert re.search(rf"\| GP{pins['RELAY_SOUND']} \| K1.*GP{pins['RELAY_FM']}:? K2", text)
    assert re.search(rf"\| GP{pins['AMPLIFIER']} \| (enable|chân bật)", text)
    assert f"| GP{pins['TUNER_RESET']} | RST" in text
    assert re.search(rf"\| GP{pins['PAIRING']} \| (pairing|cầu ghép)", text)
    drawn = drawings()[DOCS / "wiring" / "standard.svg"]
    assert f"GP{pins['RELAY_SOUND']} K1 · GP{pins['RELAY_FM']} K2 · GP{pins['AMPLIFIER']} EN" in drawn
    assert f"GP{pins['SDA']} SDA · GP{pins['SCL']} SCL · GP{pins['TUNER_RESET']} RST" in drawn


@pytest.mark.parametrize("path", sorted(drawings()), ids=lambda path: path.stem)
def test_drawing_holds_all_its_words(path: Path) -> None:
    root = ElementTree.fromstring(drawings()[path])
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert root.attrib["aria-label"]
    for text in root.iter(f"{SVG}text"):
        size, words = float(text.attrib["font-size"]), text.text or ""
        wide = text_width(words, size, bold="font-weight" in text.attrib)
        begin = float(text.attrib["x"]) - {"start": 0.0, "middle": wide / 2, "end": wide}[text.attrib["text-anchor"]]
        assert begin >= 0 and begin + wide <= width, words
        assert 0 < float(text.attrib["y"]) < height, words


@pytest.mark.parametrize("path", sorted(drawings()), ids=lambda path: path.stem)
def test_words_do_not_lie_on_each_other(path: Path) -> None:
    """Whatever begins in the same line of text ends before the next begins."""
    boxes = []
    for text in ElementTree.fromstring(drawings()[path]).iter(f"{SVG}text"):
        size, words = float(text.attrib["font-size"]), text.text or ""
        wide = text_width(words, size, bold="font-weight" in text.attrib) * 0.9
        begin = float(text.attrib["x"]) - {"start": 0.0, "middle": wide / 2, "end": wide}[text.attrib["text-anchor"]]
        y = float(text.attrib["y"])
        boxes.append((begin, begin + wide, y - size * 0.7, y, words))
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
            assert apart, f"{one[4]!r} lies on {other[4]!r}"


def test_titles_fit_their_boxes() -> None:
    for text in drawings().values():
        for found in re.findall(r'font-size="13.5"[^>]*font-weight="bold">([^<]*)<', text):
            assert text_width(found, 13.5) <= BOX_WIDTH + 60, found


def test_prices_are_ranges_and_sums() -> None:
    for one in ITEMS:
        assert 0 < one.low_kvnd < one.high_kvnd and set(one.variants) <= set(VARIANTS)
    cheapest, standard, station = (totals_kvnd(one) for one in VARIANTS)
    assert cheapest < standard < station
    assert dollars(26_000) == 1000
    assert "**7 320–18 690**" in pages()[DOCS / "wiring.md"]


def test_tables_are_made_between_their_markers_only() -> None:
    page = "before\n<!-- table prices -->\nold\n<!-- end -->\nafter <!-- end -->\n"
    made = filled(page, vietnamese=True)
    assert made.startswith("before\n<!-- table prices -->\n| món |") and made.endswith(
        "<!-- end -->\nafter <!-- end -->\n"
    )
    assert "old" not in made
    assert filled(made, vietnamese=True) == made


def test_both_pages_tell_the_same_things() -> None:
    english, vietnamese = ((DOCS / name).read_text() for name in ("wiring.md", "wiring.vi.md"))
    for pattern in (r"^#+ ", r"!\[[^]]*\]\([^)]*\)", r"^<!-- table .* -->$", r"^- \*\*"):
        assert len(re.findall(pattern, english, re.MULTILINE)) == len(
            re.findall(pattern, vietnamese, re.MULTILINE)
        ), pattern
