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
    "message_1": Words("nút lời nhắn 1", "message button 1"),
    "message_2": Words("nút lời nhắn 2", "message button 2"),
    "message_3": Words("nút lời nhắn 3", "message button 3"),
}
_LAMPS: Final = {
    "on_air": Words("đèn đang phát", "lamp on air"),
    "link": Words("đèn kết nối", "lamp link"),
    "fault": Words("đèn sự cố", "lamp fault"),
}
_NO_NOTE: Final = Words("")
_CHIPS: Final = {
    ("meter", "clock_chip"): "Đo: ADS1115, giờ: DS3231",
    ("meter",): "Mạch đo ADS1115",
    ("clock_chip",): "Đồng hồ DS3231",
}


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire.

    Attributes:
        terminal: at the part, as it is printed there or in words.
        note: what has to be known of it.
        pin: of the computer's header; 0 for a USB socket.
        bcm: number of the signal, as board.json has it; None for supply, ground and USB.
    """

    terminal: Words
    pin: int
    kind: Kind
    bcm: int | None = None
    signal: str = ""
    note: Words = _NO_NOTE

    def at_part(self) -> Words:
        """Terminal and note; a terminal without words is the same in both languages."""
        if not self.note.vi:
            return self.terminal
        english = self.terminal.en or self.terminal.vi
        return Words(f"{self.terminal.vi}: {self.note.vi}", f"{english}: {self.note.en}")

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


def _signal(terminal: Words, bcm: int, kind: Kind, signal: str = "", note: Words = _NO_NOTE) -> Wire:
    return Wire(terminal, HEADER[bcm], kind, bcm, signal, note)


def _ground(pin: int) -> Wire:
    return Wire(Words("GND"), pin, Kind.POWER, signal="GND")


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
    level = Words("đóng ở mức cao", "on at high level") if high else Words("đóng ở mức thấp", "on at low level")
    supply = Wire(Words("VCC"), 2, Kind.POWER, signal="5 V")
    switch = _signal(Words("IN"), board["amplifier"]["pin"], Kind.SIGNAL, note=level)
    wires = (supply, switch, _ground(6))
    yield Part(Words("Mạch rơ-le tăng âm", "amplifier relay module"), wires, left=True)


def _guardian(board: Mapping[str, Any]) -> Iterator[Part]:
    if "guardian" not in board:
        return
    resistor = Words("qua 1 kΩ", "through 1 kΩ")
    wires = (
        _signal(Words("GP1 (UART0 RX)"), 14, Kind.CABLE, "TXD", resistor),
        _signal(Words("GP0 (UART0 TX)"), 15, Kind.CABLE, "RXD", resistor),
        _ground(14),
    )
    yield Part(Words("Bộ giám sát (Pico)", "guardian (Pico)"), wires)


def _chips(board: Mapping[str, Any]) -> Iterator[Part]:
    found = [(name, words) for name, words in {"meter": "ADS1115", "clock_chip": "DS3231"}.items() if name in board]
    if not found:
        return
    names = ", ".join(f"{words} {board[name].get('address', '')}".strip() for name, words in found)
    wires = (
        Wire(Words("VDD / VCC"), 1, Kind.POWER, signal="3V3", note=Words("không 5 V", "not 5 V")),
        _signal(Words("SDA"), 2, Kind.BUS, "SDA"),
        _signal(Words("SCL"), 3, Kind.BUS, "SCL"),
        _ground(9),
    )
    yield Part(Words(_CHIPS[tuple(name for name, _ in found)], names), wires, left=True)
    pilot = board.get("meter", {}).get("pilot_pin")
    if pilot is not None:
        through = Words("LED, qua 330 Ω", "its LED, through 330 Ω")
        switch = (_signal(Words("IN"), pilot, Kind.SIGNAL, note=through), _ground(20))
        yield Part(Words("PhotoMOS, tín hiệu dò", "PhotoMOS relay, 25 Hz pilot"), switch, left=True)


def _hands(board: Mapping[str, Any]) -> Iterator[Part]:
    if "lamps" in board:
        pins = [(name, pin) for name, pin in board["lamps"].items() if name in _LAMPS]
        anode = Words("anốt, qua 330 Ω", "anode, through 330 Ω")
        wires = [_signal(_LAMPS[name], pin, Kind.SIGNAL, note=anode) for name, pin in pins]
        yield Part(Words("Đèn báo LED", "LED lamps"), (*wires, _ground(25)), left=True)
    if "buttons" in board:
        pins = [(name, pin) for name, pin in board["buttons"].items() if name in _BUTTONS]
        wires = [_signal(_BUTTONS[name], pin, Kind.SIGNAL) for name, pin in pins]
        yield Part(
            Words("Nút bấm, khóa", "buttons and key switch"), (*wires, _ground(39)), left="guardian" not in board
        )
