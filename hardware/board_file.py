"""What a board is made of: `board.json`, written by whoever builds the box and read at every start.

Pins are BCM numbers, as gpiozero and `pinctrl` name them. A part that is not named is not fitted; a part that is
named and does not answer is reported and done without. Examples are in `hardware/image/boards`:

variant             a name for the board, shown by the self-test
sound               `card`: an ALSA name or a stable id (usb:<vid>:<pid>[:<path>], card:<id>); `mixer`: its control
                    for the volume
microphone          `card`, `mixer`, and `ring`: directory in which the last 30 minutes are kept (empty: nowhere)
amplifier           `pin` of its enable line or relay, `active_high`
selector            two relays before the amplifier: `computer_pin`, `fm_pin`, `active_high`, `settle_ms`
buttons             pins of `talk`, `key`, `stop`, `message_1`, `message_2`, `message_3`: each closes to ground
lamps               pins of `on_air`, `link`, `fault`, and `active_high`
i2c_bus             number of the I2C bus on which the chips below are
tuner               an Si4703: `capture` is the card that hears it, `mixer`, `reset_pin`, `address`; or
                    `behind_guardian`
meter               an ADS1115 at the speaker line: `address`; `full_mv`, `rest_mv`, `line_volts`, `current_mv`,
                    `current_ma` as found at commissioning; `pilot_pin`, `learned_ohm`, `sees_earth` for the line
clock_chip          a DS3231: `address`
guardian            `port` of its UART, `key_file` that it shares; it owns the amplifier's relay
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from hardware.errors import BoardError
from hardware.strict_json import bounded, read_bytes, read_file

_PIN: Final = bounded(low=0, high=27)
_PULLED_UP_AT_BOOT_MAX: Final = 8
"""BCM 0 to 8 are pulled up until a program sets them, 9 to 27 down: BCM2835 ARM Peripherals, table 6-31."""
_UART_PORTS: Final = ("/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0")
_UART_PINS: Final = {14: "the UART's output", 15: "the UART's input"}
_I2C_PINS: Final = {2: "the data line of I2C bus 1", 3: "the clock line of I2C bus 1"}


def _pin() -> Any:
    return field(default=None, metadata=_PIN)


def _address(default: int) -> Any:
    return field(default=default, metadata=bounded(low=0x08, high=0x77, hexadecimal=True))


@dataclass(frozen=True, slots=True)
class SoundPart:
    """The sound card. `mixer` is empty when its volume is left alone."""

    card: str = "default"
    mixer: str = ""


@dataclass(frozen=True, slots=True)
class MicrophonePart:
    """The microphone, and where the last 30 minutes of it are kept."""

    card: str
    mixer: str = ""
    ring: str = ""


@dataclass(frozen=True, slots=True)
class AmplifierPart:
    """A relay or an enable line; `active_high` is false for the common relay boards that switch on by a low level."""

    pin: int = field(metadata=_PIN)
    active_high: bool = True


@dataclass(frozen=True, slots=True)
class SelectorPart:
    """Two relays of which one at most is closed, with the time that their contacts take to open."""

    computer_pin: int = field(metadata=_PIN)
    fm_pin: int = field(metadata=_PIN)
    active_high: bool = True
    settle_ms: int = field(default=20, metadata=bounded(low=1, high=1000))


@dataclass(frozen=True, slots=True)
class PanelPins:
    """Where buttons and the key switch are; None for one that is not there."""

    talk: int | None = _pin()
    key: int | None = _pin()
    stop: int | None = _pin()
    message_1: int | None = _pin()
    message_2: int | None = _pin()
    message_3: int | None = _pin()


@dataclass(frozen=True, slots=True)
class LampPins:
    """Where lamps are; None for one that is not there."""

    on_air: int | None = _pin()
    link: int | None = _pin()
    fault: int | None = _pin()
    active_high: bool = True


@dataclass(frozen=True, slots=True)
class TunerPart:
    """The Si4703, on our own bus or behind the guardian.

    Attributes:
        capture: sound card whose input hears it, and `mixer` the control of that input.
        reset_pin: its RST line; the chip speaks I2C only after a reset with SDIO low.
    """

    capture: str
    mixer: str = ""
    address: int = _address(0x10)
    reset_pin: int | None = _pin()
    behind_guardian: bool = False

    def __post_init__(self) -> None:
        if not self.behind_guardian and self.reset_pin is None:
            raise ValueError("reset_pin is missing: the chip does not answer before a reset")
        if self.behind_guardian and self.reset_pin is not None:
            raise ValueError("leave reset_pin out: behind the guardian, the guardian resets the chip")


@dataclass(frozen=True, slots=True)
class MeterPart:
    """The ADS1115 at the speaker line, and what its voltages mean; see `hardware.line_meter` and `line_check`.

    Attributes:
        full_mv, rest_mv: at input 0 at the amplifier's full output, and while it is off.
        line_volts: of the line at full output.
        current_mv, current_ma: at input 1, and the current that it stands for.
        pilot_pin: switches the pilot tone; without it the line is not checked.
        learned_ohm: the line's impedance at commissioning, 0 before.
        sees_earth: input 2 sees the line's leakage to earth.
    """

    address: int = _address(0x48)
    full_mv: int = field(default=3000, metadata=bounded(low=10, high=6000))
    rest_mv: int = field(default=0, metadata=bounded(low=0, high=1000))
    line_volts: int = field(default=100, metadata=bounded(low=1, high=200))
    current_mv: int = field(default=3000, metadata=bounded(low=10, high=6000))
    current_ma: int = field(default=1000, metadata=bounded(low=1, high=20_000))
    pilot_pin: int | None = _pin()
    learned_ohm: int = field(default=0, metadata=bounded(low=0, high=100_000))
    sees_earth: bool = False

    def __post_init__(self) -> None:
        if self.rest_mv >= min(self.full_mv, self.current_mv):
            raise ValueError("rest_mv is what the inputs show at rest; it is below full_mv and current_mv")


@dataclass(frozen=True, slots=True)
class ClockChipPart:
    """The DS3231."""

    address: int = _address(0x68)


@dataclass(frozen=True, slots=True)
class GuardianPart:
    """The supervising microcontroller."""

    port: str
    key_file: str = "guardian.key"


@dataclass(frozen=True, slots=True)
class BoardFile:
    """The content of `board.json`. Paths are made absolute by `read_board`."""

    variant: str = "unnamed"
    sound: SoundPart = SoundPart()
    microphone: MicrophonePart | None = None
    amplifier: AmplifierPart | None = None
    selector: SelectorPart | None = None
    buttons: PanelPins | None = None
    lamps: LampPins | None = None
    i2c_bus: int = field(default=1, metadata=bounded(low=0, high=22))
    tuner: TunerPart | None = None
    meter: MeterPart | None = None
    clock_chip: ClockChipPart | None = None
    guardian: GuardianPart | None = None

    def __post_init__(self) -> None:
        if self.guardian and self.amplifier:
            raise ValueError("the guardian owns the amplifier's relay: leave out amplifier, or guardian")
        if self.tuner and self.tuner.behind_guardian and not self.guardian:
            raise ValueError("tuner.behind_guardian is true, and there is no guardian")
        self._check_pins()
        self._check_addresses()

    def _check_pins(self) -> None:
        taken: dict[int, str] = {}
        if self.guardian and self.guardian.port in _UART_PORTS:
            taken.update(_UART_PINS)
        if self.i2c_bus == 1 and any(True for _ in self.addresses()):
            taken.update(_I2C_PINS)
        for name, pin in self.pins():
            if pin in taken:
                raise ValueError(f"{name}: pin {pin} is already {taken[pin]}; take another one")
            taken[pin] = name

    def _check_addresses(self) -> None:
        taken: dict[int, str] = {}
        for name, address in self.addresses():
            if address in taken:
                raise ValueError(f"{name}: address {address:#04x} is already {taken[address]}; set another one")
            taken[address] = name

    def pins(self) -> Iterator[tuple[str, int]]:
        """Every pin that is used, with its name in the file."""
        for section in ("amplifier", "selector", "buttons", "lamps", "tuner", "meter"):
            part = getattr(self, section)
            for one in fields(part) if part else ():
                pin = getattr(part, one.name)
                if one.metadata == _PIN and pin is not None:
                    yield f"{section}.{one.name}", pin

    def addresses(self) -> Iterator[tuple[str, int]]:
        """Every address on our own I2C bus, with its name in the file."""
        if self.tuner and not self.tuner.behind_guardian:
            yield "tuner.address", self.tuner.address
        if self.meter:
            yield "meter.address", self.meter.address
        if self.clock_chip:
            yield "clock_chip.address", self.clock_chip.address

    def remarks(self) -> tuple[str, ...]:
        """What is allowed and unwise: relays that click at power-on, before any program runs."""
        relays = [("amplifier.pin", self.amplifier.pin, self.amplifier.active_high)] if self.amplifier else []
        if self.selector:
            relays.append(("selector.computer_pin", self.selector.computer_pin, self.selector.active_high))
            relays.append(("selector.fm_pin", self.selector.fm_pin, self.selector.active_high))
        return tuple(
            f"{name}: pin {pin} is pulled {'up' if active_high else 'down'} at power-on, which closes the relay; "
            f"take {'9 to 27' if active_high else '0 to 8'}, or fit a resistor of 4.7 kΩ to the other side"
            for name, pin, active_high in relays
            if (pin <= _PULLED_UP_AT_BOOT_MAX) == active_high
        )


def read_board(path: Path) -> BoardFile:
    """Reads a board's description.

    Raises:
        BoardError: it cannot be used; the message says what to write instead.
    """
    return _absolute(read_file(path, BoardFile), path.resolve().parent)


def read_board_bytes(data: bytes) -> BoardFile:
    """The same from bytes; paths stay as they are. Raises BoardError."""
    return read_bytes(data, BoardFile)


def _absolute(board: BoardFile, directory: Path) -> BoardFile:
    if board.microphone and board.microphone.ring:
        board = replace(board, microphone=replace(board.microphone, ring=str(directory / board.microphone.ring)))
    if board.guardian:
        board = replace(board, guardian=replace(board.guardian, key_file=str(directory / board.guardian.key_file)))
    return board


__all__ = ["BoardError", "BoardFile", "LampPins", "PanelPins", "read_board", "read_board_bytes"]
