"""Puts a board together as its file says. What does not answer is told and done without: a loudspeaker that lacks its
clock chip still speaks, and one that lacks its sound card still tells the controller so.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hardware.absent import (
    AbsentAmplifier,
    AbsentButtons,
    AbsentCard,
    AbsentLamps,
    AbsentMeter,
    AbsentMicrophone,
)
from hardware.access import Access
from hardware.amplifier import GpioAmplifier
from hardware.board_chips import Chips
from hardware.board_file import BoardFile, MicrophonePart, SelectorPart, SoundPart
from hardware.board_watch import BoardWatch, make_watch
from hardware.interfaces import (
    Amplifier,
    ButtonPanel,
    FmTuner,
    Guardian,
    Lamps,
    Meter,
    Microphone,
    SoundCard,
    Watch,
)

if TYPE_CHECKING:
    from hardware.line_check import PilotedAmplifier

_log = logging.getLogger(__name__)
T = TypeVar("T")
P = TypeVar("P")


class HardwareBoard:
    """All drivers of a board. Made inside the running event loop.

    Args:
        file: what the board is made of.
        access: how drivers reach pins, buses, ports and cards; a mock board gives other ways.

    Attributes:
        broken: parts that the file names and that could not be opened, with the reason.
        failures: the same as errors, for whoever words them.
    """

    def __init__(self, file: BoardFile, access: Access | None = None) -> None:
        self.file = file
        self.broken: dict[str, str] = {}
        self.failures: dict[str, Exception] = {}
        self._access = access or Access()
        self._opened: list[tuple[str, Any]] = []
        for remark in file.remarks():
            _log.warning("%s", remark)
        self._chips = Chips(file, self._access, fit=self._fit)
        self._card = self._fit("sound", file.sound, self._make_card)
        self._microphone = self._fit("microphone", file.microphone, self._make_microphone)
        self._amplifier: Amplifier = self._chips.amplifier or self._gpio_amplifier()
        piloted = self._piloted()
        self._amplifier = piloted or self._amplifier
        self._buttons = self._fit("buttons", file.buttons, self._make_buttons)
        self._lamps = self._fit("lamps", file.lamps, self._make_lamps)
        self._watch = BoardWatch(self.broken, make_watch(file, self._access, self._chips, piloted))

    def card(self) -> SoundCard:
        """Where frames become sound."""
        return self._card or AbsentCard(self.broken["sound"])

    def microphone(self) -> Microphone:
        """The microphone at the device, which may be absent."""
        return self._microphone or AbsentMicrophone(self.broken.get("microphone", "this board has no microphone"))

    def tuner(self) -> FmTuner | None:
        """The FM receiver."""
        return self._chips.tuner

    def buttons(self) -> ButtonPanel:
        """Buttons and key switch."""
        return self._buttons or AbsentButtons()

    def amplifier(self) -> Amplifier:
        """The amplifier's enable line."""
        return self._amplifier

    def meter(self) -> Meter:
        """What measures at the speaker line."""
        return self._chips.meter or AbsentMeter()

    def lamps(self) -> Lamps:
        """The lamps."""
        return self._lamps or AbsentLamps()

    def guardian(self) -> Guardian | None:
        """The supervising microcontroller."""
        return self._chips.guardian

    @property
    def chips(self) -> Chips:
        """What is behind a bus or a port, for the self-test and the clock."""
        return self._chips

    def watch(self) -> Watch:
        """Looks after the parts; one that could not be opened is its first finding."""
        return self._watch

    async def close(self) -> None:
        """Lets go of everything, in reverse; relays are left open."""
        while self._opened:
            name, part = self._opened.pop()
            try:
                ended = part.close()
                if inspect.isawaitable(ended):
                    await ended
            except Exception as error:
                _log.warning("%s was not left in order: %s", name, error)

    def _fit(self, name: str, part: P | None, make: Callable[[P], T]) -> T | None:
        """What is made of a part of the file; None when it is not fitted, or does not answer."""
        if part is None:
            return None
        try:
            made = make(part)
        except Exception as error:  # one bad driver must not silence the others
            self.broken[name] = str(error) or type(error).__name__
            self.failures[name] = error
            _log.warning("%s is not to be had: %s", name, self.broken[name])
            return None
        if hasattr(made, "close"):
            self._opened.append((name, made))
        return made

    def _make_card(self, part: SoundPart) -> SoundCard:
        from hardware.alsa_card import AlsaCard

        alsa = self._access
        return AlsaCard(part.card, mixer=part.mixer or None, library=alsa.alsa_library, root=alsa.root)

    def _make_microphone(self, part: MicrophonePart) -> Microphone:
        from hardware.microphone import AlsaMicrophone

        ring, alsa = Path(part.ring) if part.ring else None, self._access
        return AlsaMicrophone(
            part.card, ring=ring, mixer=part.mixer or None, library=alsa.alsa_library, root=alsa.root
        )

    def _gpio_amplifier(self) -> Amplifier:
        from hardware.selector import SelectedAmplifier, Selector

        def make_selector(part: SelectorPart) -> Selector:
            return Selector(part, factory=self._access.pins())

        made = self._fit(
            "amplifier",
            self.file.amplifier,
            lambda part: GpioAmplifier(part.pin, active_high=part.active_high, factory=self._access.pins()),
        )
        amplifier: Amplifier = made or AbsentAmplifier()
        selector = self._fit("selector", self.file.selector, make_selector)
        return amplifier if selector is None else SelectedAmplifier(amplifier, selector)

    def _piloted(self) -> PilotedAmplifier | None:
        """The pilot stands before whatever switches the amplifier."""
        pin = self.file.meter.pilot_pin if self.file.meter else None
        pilot = self._fit("pilot", pin, lambda number: GpioAmplifier(number, factory=self._access.pins()))
        if pilot is None or self._chips.meter is None:
            return None
        from hardware.line_check import PilotedAmplifier

        return PilotedAmplifier(self._amplifier, pilot)

    def _make_buttons(self, pins: Any) -> ButtonPanel:
        from hardware.gpio_panel import GpioPanel

        return GpioPanel(pins, factory=self._access.pins())

    def _make_lamps(self, pins: Any) -> Lamps:
        from hardware.gpio_lamps import GpioLamps

        return GpioLamps(pins, factory=self._access.pins())
