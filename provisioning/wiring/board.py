"""What is wired to the computer's 40 pins, from a board's `board.json`: the same file that the device reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from provisioning.wiring.svg import Kind, Words

BOARDS: Final = Path(__file__).parents[2] / "hardware" / "image" / "boards"
VARIANTS: Final = ("cheapest", "standard", "station")

_BY_PIN: Final = {
    **dict(zip((3, 5, 7, 11, 13, 15, 19, 21, 23), (2, 3, 4, 17, 27, 22, 10, 9, 11), strict=True)),
    **dict(zip((29, 31, 33, 35, 37), (5, 6, 13, 19, 26), strict=True)),
    **dict(zip((8, 10, 12, 16, 18, 22, 24, 26), (14, 15, 18, 23, 24, 25, 8, 7), strict=True)),
    **dict(zip((32, 36, 38, 40), (12, 16, 20, 21), strict=True)),
}
HEADER: Final[Mapping[int, int]] = {bcm: pin for pin, bcm in _BY_PIN.items()}
"""BCM number to pin of the 40-pin header, the same on all boards since the Raspberry Pi 1 B+."""
_BUTTONS: Final = {
    "talk": Words("nút nói", "talk button"),
    "key": Words("khóa khẩn cấp", "emergency key switch"),
    "stop": Words("nút dừng", "stop button"),
    "message_1": Words("nút thông báo 1", "message button 1"),
    "message_2": Words("nút thông báo 2", "message button 2"),
    "message_3": Words("nút thông báo 3", "message button 3"),
}
_LAMPS: Final = {
    "on_air": Words("đèn đang phát", "lamp on air"),
    "link": Words("đèn kết nối", "lamp link"),
    "fault": Words("đèn sự cố", "lamp fault"),
}


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire.

    Attributes:
        terminal: at the part.
        pin: of the computer's header; 0 for a USB socket.
        bcm: number of the signal, as board.json has it; None for supply, ground and USB.
    """

    terminal: Words
    pin: int
    kind: Kind
    bcm: int | None = None
    signal: str = ""

    def at_computer(self) -> str:
        """The other end."""
        if not self.pin:
            return "USB"
        name = f"GPIO{self.bcm}" + (f" {self.signal}" if self.signal else "") if self.bcm is not None else self.signal
        return f"{name} · {self.pin}"


@dataclass(frozen=True, slots=True)
class Part:
    """A part beside the computer."""

    title: Words
    wires: tuple[Wire, ...]
    left: bool = False
    note: Words = Words("")


def load(variant: str) -> dict[str, Any]:
    """A board's file."""
    made: dict[str, Any] = json.loads((BOARDS / f"{variant}.json").read_text())
    return made


def parts(board: Mapping[str, Any]) -> Iterator[Part]:
    """All that is wired to the computer, from top to bottom of each side."""
    yield from _sound(board)
    yield from _relay(board)
    yield from _guardian(board)
    yield from _chips(board)
    yield from _hands(board)


def _signal(terminal: Words, bcm: int, kind: Kind, signal: str = "") -> Wire:
    return Wire(terminal, HEADER[bcm], kind, bcm, signal)


def _ground(pin: int) -> Wire:
    return Wire(Words("GND", "ground"), pin, Kind.POWER, signal="GND")


def _sound(board: Mapping[str, Any]) -> Iterator[Part]:
    usb = Wire(Words("USB", board["sound"]["card"]), 0, Kind.CABLE)
    yield Part(Words("Cạc âm thanh USB", "USB sound card"), (usb,))
    if "microphone" in board:
        usb = Wire(Words("USB", board["microphone"]["card"]), 0, Kind.CABLE)
        yield Part(Words("Cạc micrô USB", "USB microphone interface"), (usb,))


def _relay(board: Mapping[str, Any]) -> Iterator[Part]:
    if "amplifier" not in board:
        return
    high = board["amplifier"].get("active_high", True)
    level = Words("IN", "switches at high level" if high else "switches at low level")
    supply = Wire(Words("VCC", "5 V"), 2, Kind.POWER, signal="5 V")
    wires = (supply, _signal(level, board["amplifier"]["pin"], Kind.SIGNAL), _ground(6))
    yield Part(Words("Mạch rơ-le tăng âm", "amplifier relay module"), wires, left=True)


def _guardian(board: Mapping[str, Any]) -> Iterator[Part]:
    if "guardian" not in board:
        return
    wires = (
        _signal(Words("GP1 (UART0 RX)", "through 1 kΩ"), 14, Kind.CABLE, "TXD"),
        _signal(Words("GP0 (UART0 TX)", "through 1 kΩ"), 15, Kind.CABLE, "RXD"),
        _ground(14),
    )
    yield Part(Words("Bộ giám sát (Pico)", "guardian (Pico)"), wires)


def _chips(board: Mapping[str, Any]) -> Iterator[Part]:
    found = [(name, words) for name, words in {"meter": "ADS1115", "clock_chip": "DS3231"}.items() if name in board]
    if not found:
        return
    names = ", ".join(f"{words} {board[name].get('address', '')}".strip() for name, words in found)
    wires = (
        Wire(Words("VDD / VCC", "3.3 V, not 5 V"), 1, Kind.POWER, signal="3V3"),
        _signal(Words("SDA", "data"), 2, Kind.BUS, "SDA"),
        _signal(Words("SCL", "clock"), 3, Kind.BUS, "SCL"),
        _ground(9),
    )
    yield Part(Words("Đo đường loa, đồng hồ", names), wires, left=True)
    pilot = board.get("meter", {}).get("pilot_pin")
    if pilot is not None:
        switch = (_signal(Words("IN", "PhotoMOS relay, 330 Ω"), pilot, Kind.SIGNAL), _ground(20))
        yield Part(Words("Tín hiệu dò 25 Hz", "25 Hz pilot"), switch, left=True)


def _hands(board: Mapping[str, Any]) -> Iterator[Part]:
    if "lamps" in board:
        pins = [(name, pin) for name, pin in board["lamps"].items() if name in _LAMPS]
        wires = [
            _signal(Words(f"{_LAMPS[name].vi}, 330 Ω", f"{_LAMPS[name].en}, anode"), pin, Kind.SIGNAL)
            for name, pin in pins
        ]
        yield Part(Words("Đèn báo LED", "LED lamps"), (*wires, _ground(25)), left=True)
    if "buttons" in board:
        pins = [(name, pin) for name, pin in board["buttons"].items() if name in _BUTTONS]
        wires = [_signal(_BUTTONS[name], pin, Kind.SIGNAL) for name, pin in pins]
        yield Part(
            Words("Nút bấm, khóa", "buttons and key switch"), (*wires, _ground(39)), left="guardian" not in board
        )
