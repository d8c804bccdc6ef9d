"""What a board is made of: `board.json`, written by whoever builds the box and read at every start.

Pins are BCM numbers, as gpiozero and `pinctrl` name them. A part that is not named is not fitted; a part that is
named and does not answer is reported and done without. Examples are in `hardware/image/boards`:

variant             which design it is: `cheapest`, `standard`, `station`, or `own`; shown by the self-test
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
from typing import Final

from hardware.board_parts import (
    PIN,
    AmplifierPart,
    ClockChipPart,
    GuardianPart,
    LampPins,
    MeterPart,
    MicrophonePart,
    PanelPins,
    SelectorPart,
    SoundPart,
    TunerPart,
)
from hardware.errors import BoardError
from hardware.i18n import N_, Phrase
from hardware.strict_json import bounded, did_you_mean, read_bytes, read_file

VARIANTS: Final = ("cheapest", "standard", "station", "own")
_PULLED_UP_AT_BOOT_MAX: Final = 8
"""BCM 0 to 8 are pulled up until a program sets them, 9 to 27 down: BCM2835 ARM Peripherals, table 6-31."""
_UART_PORTS: Final = ("/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0")
_UART_PINS: Final = {14: Phrase(N_("the UART's output")), 15: Phrase(N_("the UART's input"))}
_I2C_PINS: Final = {
    2: Phrase(N_("the data line of I2C bus 1")),
    3: Phrase(N_("the clock line of I2C bus 1")),
}


@dataclass(frozen=True, slots=True)
class BoardFile:
    """The content of `board.json`. Paths are made absolute by `read_board`."""

    variant: str = VARIANTS[-1]
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
            raise BoardError(N_("the guardian owns the amplifier's relay: leave out amplifier, or guardian"))
        if self.tuner and self.tuner.behind_guardian and not self.guardian:
            raise BoardError(N_("tuner.behind_guardian is true, and there is no guardian"))
        self._check_pins()
        self._check_addresses()

    def _check_pins(self) -> None:
        taken: dict[int, object] = {}
        if self.guardian and self.guardian.port in _UART_PORTS:
            taken.update(_UART_PINS)
        if self.i2c_bus == 1 and any(self.addresses()):
            taken.update(_I2C_PINS)
        for name, pin in self.pins():
            if pin in taken:
                words = N_("%(name)s: pin %(pin)d is already %(other)s; take another one")
                raise BoardError(words, name=name, pin=pin, other=taken[pin])
            taken[pin] = name

    def _check_addresses(self) -> None:
        taken: dict[int, str] = {}
        for name, address in self.addresses():
            if address in taken:
                words = N_("%(name)s: address %(address)s is already %(other)s; set another one")
                raise BoardError(words, name=name, address=f"{address:#04x}", other=taken[address])
            taken[address] = name

    def pins(self) -> Iterator[tuple[str, int]]:
        """Every pin that is used, with its name in the file."""
        for section in ("amplifier", "selector", "buttons", "lamps", "tuner", "meter"):
            part = getattr(self, section)
            for one in fields(part) if part else ():
                pin = getattr(part, one.name)
                if one.metadata == PIN and pin is not None:
                    yield f"{section}.{one.name}", pin

    def addresses(self) -> Iterator[tuple[str, int]]:
        """Every address on our own I2C bus, with its name in the file."""
        if self.tuner and not self.tuner.behind_guardian:
            yield "tuner.address", self.tuner.address
        if self.meter:
            yield "meter.address", self.meter.address
        if self.clock_chip:
            yield "clock_chip.address", self.clock_chip.address

    def remarks(self) -> tuple[Phrase, ...]:
        """What is allowed and unwise: no part but sound; relays that click at power-on, before any program runs."""
        if self == BoardFile(variant=self.variant, sound=self.sound):
            return (Phrase(N_("nothing but a sound card: no amplifier switch, buttons, lamps, tuner or guardian")),)
        relays = [("amplifier.pin", self.amplifier.pin, self.amplifier.active_high)] if self.amplifier else []
        if self.selector:
            relays.append(("selector.computer_pin", self.selector.computer_pin, self.selector.active_high))
            relays.append(("selector.fm_pin", self.selector.fm_pin, self.selector.active_high))
        return tuple(
            Phrase(_CLICKS_UP if active_high else _CLICKS_DOWN, {"name": name, "pin": pin})
            for name, pin, active_high in relays
            if (pin <= _PULLED_UP_AT_BOOT_MAX) == active_high
        )


_CLICKS_UP: Final = N_(
    "%(name)s: pin %(pin)d is pulled up at power-on, which closes the relay; take 9 to 27, or fit a resistor of "
    "4.7 kΩ to the other side"
)
_CLICKS_DOWN: Final = N_(
    "%(name)s: pin %(pin)d is pulled down at power-on, which closes the relay; take 0 to 8, or fit a resistor of "
    "4.7 kΩ to the other side"
)


def read_board(path: Path) -> BoardFile:
    """Reads a board's description.

    Raises:
        BoardError: it cannot be used; the message says what to write instead.
    """
    board = read_file(path, BoardFile)
    try:
        _check_variant(board)
    except BoardError as error:
        raise BoardError("%(path)s: %(why)s", path=path, why=error) from error
    return _absolute(board, path.resolve().parent)


def read_board_bytes(data: bytes) -> BoardFile:
    """The same from bytes; paths stay as they are. Raises BoardError."""
    board = read_bytes(data, BoardFile)
    _check_variant(board)
    return board


def _check_variant(board: BoardFile) -> None:
    """In a file only: a simulated board has a name of its own."""
    if board.variant not in VARIANTS:
        words = N_("there is no variant %(name)s%(hint)s")
        raise BoardError(words, name=repr(board.variant[:40]), hint=did_you_mean(board.variant, VARIANTS))


def _absolute(board: BoardFile, directory: Path) -> BoardFile:
    if board.microphone and board.microphone.ring:
        board = replace(board, microphone=replace(board.microphone, ring=str(directory / board.microphone.ring)))
    if board.guardian:
        board = replace(board, guardian=replace(board.guardian, key_file=str(directory / board.guardian.key_file)))
    return board


__all__ = [
    "AmplifierPart",
    "BoardError",
    "BoardFile",
    "ClockChipPart",
    "GuardianPart",
    "LampPins",
    "MeterPart",
    "MicrophonePart",
    "PanelPins",
    "SelectorPart",
    "SoundPart",
    "TunerPart",
    "read_board",
    "read_board_bytes",
]
