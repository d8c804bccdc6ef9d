"""The parts that `board.json` may name, each a section of it; `hardware.board_file` explains them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from hardware.alsa_names import NO_CARD_NAME, is_name
from hardware.errors import BoardError
from hardware.i18n import N_
from hardware.strict_json import bounded

PIN: Final = bounded(low=0, high=27)


def _pin() -> Any:
    return field(default=None, metadata=PIN)


def _check_card(name: str) -> None:
    """A half-written id would be looked for at every start, and never found."""
    if not is_name(name):
        raise BoardError(NO_CARD_NAME, name=repr(name))


def _address(default: int) -> Any:
    return field(default=default, metadata=bounded(low=0x08, high=0x77, hexadecimal=True))


@dataclass(frozen=True, slots=True)
class SoundPart:
    """The sound card. `mixer` is empty when its volume is left alone."""

    card: str = "default"
    mixer: str = ""

    def __post_init__(self) -> None:
        _check_card(self.card)


@dataclass(frozen=True, slots=True)
class MicrophonePart:
    """The microphone, and where the last 30 minutes of it are kept."""

    card: str
    mixer: str = ""
    ring: str = ""

    def __post_init__(self) -> None:
        _check_card(self.card)


@dataclass(frozen=True, slots=True)
class AmplifierPart:
    """A relay or an enable line; `active_high` is false for the common relay boards that switch on by a low level."""

    pin: int = field(metadata=PIN)
    active_high: bool = True


@dataclass(frozen=True, slots=True)
class SelectorPart:
    """Two relays of which one at most is closed, with the time that their contacts take to open."""

    computer_pin: int = field(metadata=PIN)
    fm_pin: int = field(metadata=PIN)
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
        _check_card(self.capture)
        if not self.behind_guardian and self.reset_pin is None:
            raise BoardError(N_("reset_pin is missing: the chip does not answer before a reset"))
        if self.behind_guardian and self.reset_pin is not None:
            raise BoardError(N_("leave reset_pin out: behind the guardian, the guardian resets the chip"))


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
            raise BoardError(N_("rest_mv is what the inputs show at rest; it is below full_mv and current_mv"))


@dataclass(frozen=True, slots=True)
class ClockChipPart:
    """The DS3231."""

    address: int = _address(0x68)


@dataclass(frozen=True, slots=True)
class GuardianPart:
    """The supervising microcontroller."""

    port: str
    key_file: str = "guardian.key"
