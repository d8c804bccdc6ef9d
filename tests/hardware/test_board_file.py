"""A board's description: what is wrong in it is told with what to write instead, and rubbish is refused politely."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.board_file import BoardFile, PanelPins, read_board, read_board_bytes
from hardware.errors import BoardError
from hardware.i18n import CATALOGUE, worded
from hardware.strict_json import FILE_BYTES_MAX

BOARDS = Path(__file__).parents[2] / "hardware/image/boards"
GUARDIAN = {"port": "/dev/serial0"}


def board(**sections: Any) -> BoardFile:
    return read_board_bytes(json.dumps(sections).encode())


@pytest.mark.parametrize("variant", ["cheapest", "standard", "station"])
def test_example_boards_can_be_built(variant: str) -> None:
    read = read_board(BOARDS / f"{variant}.json")
    assert read.variant == variant
    assert read.remarks() == ()


def test_empty_file_is_a_sound_card_alone() -> None:
    assert board() == BoardFile()
    assert board().sound.card == "default"


def test_empty_file_is_remarked() -> None:
    assert "nothing but a sound card" in str(board().remarks()[0])
    assert board(buttons={"talk": 5}).remarks() == ()


def test_mistake_is_told_in_the_readers_language() -> None:
    CATALOGUE.use("vi")
    with pytest.raises(BoardError) as caught:
        board(lamps={"link": 14}, guardian=GUARDIAN)
    assert str(caught.value) == "lamps.link: pin 14 is already the UART's output; take another one"
    assert worded(caught.value) == "lamps.link: chân 14 đã dùng cho đường ra của UART; hãy chọn chân khác"
    with pytest.raises(BoardError) as caught:
        board(amplifier={"pim": 17})
    assert worded(caught.value) == "không có mục \"amplifier.pim\"; có phải là 'pin'?"


def test_addresses_are_written_as_the_datasheet_does() -> None:
    assert board(meter={"address": "0x49"}).meter == board(meter={"address": 73}).meter


def test_paths_are_beside_the_file(tmp_path: Path) -> None:
    file = tmp_path / "board.json"
    file.write_text(json.dumps({"microphone": {"card": "card:Mic", "ring": "ring"}, "guardian": GUARDIAN}))
    read = read_board(file)
    assert read.microphone and read.microphone.ring == str(tmp_path / "ring")
    assert read.guardian and read.guardian.key_file == str(tmp_path / "guardian.key")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"amplifer": {"pin": 17}}, "did you mean 'amplifier'?"),
    "misspelt inside": ({"amplifier": {"pim": 17}}, "\"amplifier.pim\"; did you mean 'pin'?"),
    "pin as text": ({"amplifier": {"pin": "17"}}, 'amplifier.pin is a whole number from 0 to 27, not "17"'),
    "pin as switch": ({"amplifier": {"pin": True}}, "amplifier.pin is a whole number from 0 to 27, not true"),
    "pin too high": ({"buttons": {"talk": 40}}, "buttons.talk is a whole number from 0 to 27, not 40"),
    "switch as number": ({"amplifier": {"pin": 17, "active_high": 1}}, "active_high is true or false, not 1"),
    "card as number": ({"sound": {"card": 1}}, "sound.card is text in quotation marks, not 1"),
    "section as text": ({"lamps": "yes"}, 'lamps is an object in braces { }, not "yes"'),
    "address out of range": ({"meter": {"address": "0x99"}}, 'meter.address is "0x08" to "0x77", not "0x99"'),
    "address no number": ({"meter": {"address": "0xzz"}}, "meter.address is"),
    "pin missing": ({"amplifier": {}}, "amplifier.pin is missing"),
    "one pin twice": (
        {"amplifier": {"pin": 17}, "lamps": {"fault": 17}},
        "lamps.fault: pin 17 is already amplifier.pin; take another one",
    ),
    "button on the bus": ({"buttons": {"stop": 3}, "meter": {}}, "pin 3 is already the clock line of I2C bus 1"),
    "lamp on the UART": ({"lamps": {"link": 14}, "guardian": GUARDIAN}, "pin 14 is already the UART's output"),
    "one address twice": ({"meter": {"address": "0x68"}, "clock_chip": {}}, "0x68 is already meter.address"),
    "two masters of one relay": ({"amplifier": {"pin": 17}, "guardian": GUARDIAN}, "the guardian owns"),
    "tuner behind nobody": ({"tuner": {"capture": "default", "behind_guardian": True}}, "there is no guardian"),
    "tuner without reset": ({"tuner": {"capture": "default"}}, "tuner: reset_pin is missing"),
    "tuner reset twice": (
        {"tuner": {"capture": "default", "behind_guardian": True, "reset_pin": 4}, "guardian": GUARDIAN},
        "leave reset_pin out",
    ),
    "half a USB id": ({"sound": {"card": "usb:0d8c"}}, "sound: 'usb:0d8c' names no sound card: usb:<vid>:<pid>"),
    "tuner's card without id": (
        {"tuner": {"capture": "card:", "reset_pin": 4}},
        "tuner: 'card:' names no sound card",
    ),
    "variant misspelt": ({"variant": "standrd"}, "there is no variant 'standrd'; did you mean 'standard'?"),
    "variant unknown": ({"variant": "x1"}, "Known are: cheapest, standard, station, own."),
    "name too long": ({"variant": "x" * 300}, "variant has at most 200 characters"),
    "name not printable": ({"variant": "a\nb"}, "all printable"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_file_says_what_to_write(name: str) -> None:
    sections, words = WRONG[name]
    with pytest.raises(BoardError, match=re.escape(words)):
        board(**sections)


def test_key_written_twice_is_not_guessed() -> None:
    with pytest.raises(BoardError, match='"amplifier" is written twice'):
        read_board_bytes(b'{"amplifier": {"pin": 17}, "amplifier": {"pin": 18}}')


def test_brackets_as_deep_as_can_be_read_are_refused() -> None:
    """Quoting them back goes deeper than reading them did."""
    for depth in range(900, 1000):
        with pytest.raises(BoardError):
            read_board_bytes(b'{"sound": ' + b"[" * depth + b"]" * depth + b"}")


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 60_000, b'{"i2c_bus": 1e400}', b"NaN"])
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(BoardError):
        read_board_bytes(data)


def test_huge_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "board.json"
    file.write_bytes(b" " * (FILE_BYTES_MAX + 1))
    with pytest.raises(BoardError, match="64 KiB"):
        read_board(file)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"board\.json cannot be read"):
        read_board(tmp_path / "board.json")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.dictionaries(
            st.sampled_from(["amplifier", "pin", "buttons", "talk", "sound", "card", "tuner", "x"]), inner, max_size=4
        ),
    )
)
def test_any_json_is_a_board_or_an_explanation(value: object) -> None:
    try:
        read_board_bytes(json.dumps(value).encode())
    except BoardError as error:
        assert str(error)


def test_relay_that_clicks_at_power_on_is_remarked() -> None:
    (remark,) = board(amplifier={"pin": 17, "active_high": False}).remarks()
    assert "amplifier.pin: pin 17 is pulled down at power-on" in str(remark)
    assert board(amplifier={"pin": 5, "active_high": False}).remarks() == ()
    assert len(board(selector={"computer_pin": 5, "fm_pin": 6}).remarks()) == 2


def test_every_pin_is_listed_by_its_name() -> None:
    read = BoardFile(buttons=PanelPins(talk=5, key=6))
    assert dict(read.pins()) == {"buttons.talk": 5, "buttons.key": 6}
