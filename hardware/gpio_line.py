"""Single pins by gpiozero: an output that never blips, an input that closes to ground.

Which library moves the pins is gpiozero's own choice, or that of GPIOZERO_PIN_FACTORY. It tries lgpio first, which
works on every Pi, the Pi 5 among them; then RPi.GPIO, for systems up to Pi 4 that have no lgpio. From kernel 6.6 on
RPi.GPIO cannot tell edges any more ("Failed to add edge detection", raspberrypi/linux#6037): inputs must then be read
again and again, which the panel does. lgpio makes a pipe in its working directory: on a read-only root LG_WD names
another one.

A relay board that switches on by a low level clicks when its pin becomes an output first and high afterwards.
RPi.GPIO sets level and direction in one act; gpiozero's lgpio pins do not (gpiozero#1177), so they learn it here.
"""

from __future__ import annotations

import functools
import logging
import sys
import warnings
from collections.abc import Callable
from typing import Any, Final

from hardware.errors import BoardError
from hardware.i18n import N_

_log = logging.getLogger(__name__)
_PULL: Final = {True: "down", False: "up"}


def pin_factory() -> Any:
    """gpiozero's default factory for this machine.

    Raises:
        BoardError: there are no pins, or no library that reaches them.
    """
    try:
        from gpiozero import Device

        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            Device.ensure_pin_factory()
        for one in told:
            _log.info("%s", one.message)
        return steady(Device.pin_factory)
    except Exception as error:  # each library behind gpiozero raises its own kind
        raise BoardError(N_("there are no pins to be had: %(why)s"), why=error) from error


def steady(factory: Any) -> Any:
    """The same factory, whose pins set level and direction in one act."""
    if type(factory).__name__ == "LGPIOFactory":
        factory.pin_class = _steady_lgpio_pin()
    return factory


@functools.cache
def _steady_lgpio_pin() -> type[Any]:
    import lgpio
    from gpiozero.pins.lgpio import LGPIOPin

    class SteadyLGPIOPin(LGPIOPin):  # type: ignore[misc]
        """Claims the line with its level."""

        def output_with_state(self, state: bool) -> None:
            """See `gpiozero.Pin`."""
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(bool(state)))

    return SteadyLGPIOPin


def drop_pins() -> None:
    """For a process that ends without its last words: every pin becomes an input, and relays fall."""
    gpiozero = sys.modules.get("gpiozero")
    factory = None if gpiozero is None else gpiozero.Device.pin_factory
    if factory is None:
        return
    try:
        factory.close()
    except Exception as error:
        _log.warning("pins were not left in order: %s", error)


class OutputLine:
    """An output that begins off, and is left off.

    Args:
        pin: BCM number.
        active_high: whether a high level means on.

    Raises:
        BoardError: the pin cannot be had.
    """

    def __init__(self, pin: int, *, active_high: bool = True, factory: Any = None) -> None:
        self._number, self._active_high = pin, active_high
        self._on = False
        try:
            from gpiozero import OutputDevice

            self._device: Any = OutputDevice(
                pin, active_high=active_high, initial_value=False, pin_factory=factory or pin_factory()
            )
        except BoardError:
            raise
        except Exception as error:
            raise BoardError(N_("pin %(pin)d cannot be an output: %(why)s"), pin=pin, why=error) from error

    @property
    def on(self) -> bool:
        """As it was set last."""
        return self._on

    def set(self, on: bool) -> None:
        """Sets the level. Raises BoardError."""
        try:
            self._device.value = on
        except Exception as error:
            raise BoardError(N_("pin %(pin)d cannot be set: %(why)s"), pin=self._number, why=error) from error
        self._on = on

    def close(self) -> None:
        """Switches off and lets go: the pin becomes an input that is pulled to the side that means off.

        After the process has ended only the resistor on the board holds it there: RPi.GPIO takes its pulls back.
        """
        pin = self._device.pin
        if pin is None:
            return
        try:
            self.set(False)
            self._device.close()
            pin.input_with_pull(_PULL[self._active_high])
        except Exception as error:
            _log.warning("pin %d was not left in order: %s", self._number, error)


class InputLine:
    """A contact between a pin and ground; the Pi's resistor pulls the pin up.

    Raises:
        BoardError: the pin cannot be had.
    """

    def __init__(self, pin: int, *, factory: Any = None) -> None:
        self._number = pin
        self._told: Callable[[], None] = _ignore
        self._moved = False
        self._broken = False
        try:
            from gpiozero import InputDevice

            self._device: Any = InputDevice(pin, pull_up=True, pin_factory=factory or pin_factory())
        except BoardError:
            raise
        except Exception as error:
            raise BoardError(N_("pin %(pin)d cannot be an input: %(why)s"), pin=pin, why=error) from error

    def closed(self) -> bool:
        """Whether the contact is closed now. A pin that cannot be read is open."""
        try:
            closed = bool(self._device.value)
        except Exception as error:
            _log.log(logging.DEBUG if self._broken else logging.WARNING, "pin %d: %s", self._number, error)
            self._broken = True
            return False
        self._broken = False
        return closed

    def listen(self, told: Callable[[], None]) -> bool:
        """Tells of every edge from now on, from another thread; False when that cannot be had."""
        self._told = told
        try:
            self._device.pin.edges = "both"
            self._device.pin.when_changed = self._changed
        except Exception as error:
            _log.info("pin %d tells no edges and is read again and again: %s", self._number, error)
            return False
        return True

    def moved(self) -> bool:
        """Whether there was an edge since this was asked last."""
        moved, self._moved = self._moved, False
        return moved

    def close(self) -> None:
        """Lets go of the pin."""
        self._told = _ignore
        try:
            if self._device.pin is not None:
                self._device.pin.when_changed = None
            self._device.close()
        except Exception as error:
            _log.debug("pin %d: %s", self._number, error)

    def _changed(self, *_: object) -> None:
        self._moved = True
        self._told()


def _ignore() -> None:
    """Nobody listens."""
