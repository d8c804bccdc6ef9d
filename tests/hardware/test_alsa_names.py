"""A name means a card by what it is and where it is plugged in, never by its number."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.alsa_names import Direction, cards, resolve
from hardware.errors import CardLostError

STICK = "0d8c:0014"


def plug(
    root: Path, number: int, card_id: str, *, usb: str = "", port: str = "", streams: tuple[str, ...] = ("pcm0p",)
) -> None:
    """Lays out what the kernel shows of a card."""
    folder = root / "proc/asound" / f"card{number}"
    folder.mkdir(parents=True)
    (folder / "id").write_text(f"{card_id}\n")
    for stream in streams:
        (folder / stream).mkdir()
    if usb:
        (folder / "usbid").write_text(f"{usb}\n")
        link = root / "sys/class/sound" / f"card{number}" / "device"
        link.parent.mkdir(parents=True)
        link.symlink_to(f"../../../{port}:1.0")


def test_alsa_name_is_taken_as_it_is(tmp_path: Path) -> None:
    assert resolve("plughw:CARD=Headphones", Direction.PLAYBACK, root=tmp_path) == "plughw:CARD=Headphones"


def test_stick_is_found_by_maker_and_product(tmp_path: Path) -> None:
    plug(tmp_path, 0, "Headphones")
    plug(tmp_path, 3, "Device", usb=STICK, port="1-1.2", streams=("pcm0p", "pcm0c"))
    assert resolve("usb:0D8C:0014", Direction.PLAYBACK, root=tmp_path) == "plughw:3,0"
    assert resolve("card:Headphones", Direction.PLAYBACK, root=tmp_path) == "plughw:0,0"


def test_equal_sticks_are_told_apart_by_socket(tmp_path: Path) -> None:
    plug(tmp_path, 1, "Device", usb=STICK, port="1-1.10")
    plug(tmp_path, 2, "Device_1", usb=STICK, port="1-1.2")
    assert resolve(f"usb:{STICK}:1-1.2", Direction.PLAYBACK, root=tmp_path) == "plughw:2,0"
    assert resolve(f"usb:{STICK}:1-1.10", Direction.PLAYBACK, root=tmp_path) == "plughw:1,0"
    assert resolve(f"usb:{STICK}", Direction.PLAYBACK, root=tmp_path) == "plughw:2,0"


def test_stick_keeps_its_name_under_another_number(tmp_path: Path) -> None:
    plug(tmp_path / "before", 1, "Device", usb=STICK, port="1-1.2")
    plug(tmp_path / "after", 5, "Device", usb=STICK, port="1-1.2")
    (name,) = {card.stable_name for when in ("before", "after") for card in cards(root=tmp_path / when)}
    assert name == f"usb:{STICK}:1-1.2"
    assert resolve(name, Direction.PLAYBACK, root=tmp_path / "after") == "plughw:5,0"


def test_direction_chooses_card_and_device(tmp_path: Path) -> None:
    plug(tmp_path, 1, "Out", usb=STICK, port="1-1", streams=("pcm0p",))
    plug(tmp_path, 2, "In", usb=STICK, port="1-2", streams=("pcm3c", "pcm1c"))
    assert resolve(f"usb:{STICK}", Direction.CAPTURE, root=tmp_path) == "plughw:2,1"
    with pytest.raises(CardLostError, match="record"):
        resolve("card:Out", Direction.CAPTURE, root=tmp_path)


@pytest.mark.parametrize("name", ["usb:0d8c:0014", "card:Device", "usb:0d8c:0014:1-1.3"])
def test_missing_card_is_lost(name: str, tmp_path: Path) -> None:
    with pytest.raises(CardLostError, match="plugged in"):
        resolve(name, Direction.PLAYBACK, root=tmp_path)


@pytest.mark.parametrize("name", ["usb:", "usb:0d8c", "usb:xyzw:0014", "usb:0d8c:0014:../..", "card:a b", "card:"])
def test_nonsense_names_no_card(name: str, tmp_path: Path) -> None:
    plug(tmp_path, 0, "Headphones")
    with pytest.raises(CardLostError, match="names no sound card"):
        resolve(name, Direction.PLAYBACK, root=tmp_path)


def test_rubbish_in_the_system_is_passed_over(tmp_path: Path) -> None:
    plug(tmp_path, 0, "Good")
    folder = tmp_path / "proc/asound/card1"
    folder.mkdir()
    (folder / "id").write_bytes(b"\xff" * 10_000)
    (folder / "usbid").mkdir()
    (folder / "pcm999999999p").mkdir()
    (tmp_path / "proc/asound/card2").mkdir()
    assert [card.number for card in cards(root=tmp_path)] == [0, 1]
    assert cards(root=tmp_path)[1].playback is None
