"""An I2C bus of Linux, as plain messages, by smbus2; and its data line, which the Si4703 wants low during its reset.

While the kernel's driver has the data line, nobody else can pull it low. Raspberry Pi OS's `pinctrl` changes what the
pin does for that moment and gives it back: its function is a0 on a Pi up to 4 and a3 on a Pi 5, so it is asked first.
"""

from __future__ import annotations

import re
import subprocess
import threading
from typing import Any, Final, Protocol

from hardware.errors import BoardError
from hardware.i18n import N_

_DATA_PINS: Final = {0: 0, 1: 2}
_PINCTRL: Final = "/usr/bin/pinctrl"
_PINCTRL_S_MAX: Final = 5.0
_FUNCTION: Final = re.compile(r"^\s*\d+:\s+(a[0-8])\s", re.MULTILINE)


class I2c(Protocol):
    """A bus, real or modelled; both messages raise OSError when nobody acknowledges."""

    def read(self, address: int, count: int) -> bytes:
        """One read message."""
        ...

    def write(self, address: int, data: bytes) -> None:
        """One write message."""
        ...

    def hold(self, low: bool) -> None:
        """Pulls the data line low, or gives it back to the bus. Raises OSError."""
        ...


class LinuxI2c:
    """A bus of this machine.

    Args:
        number: N of /dev/i2c-N.

    Raises:
        BoardError: there is no such bus.
    """

    def __init__(self, number: int) -> None:
        self._data_pin = _DATA_PINS.get(number)
        self._number = number
        self._function: str | None = None
        self._lock, self._held = threading.Lock(), False
        try:
            from smbus2 import SMBus

            self._bus: Any = SMBus(number)
        except (OSError, ImportError) as error:
            words = N_("I2C bus %(number)d cannot be used: %(why)s; is it switched on in config.txt?")
            raise BoardError(words, number=number, why=error) from error

    def read(self, address: int, count: int) -> bytes:
        """See `I2c`."""
        from smbus2 import i2c_msg

        message = i2c_msg.read(address, count)
        self._send(message)
        return bytes(message)

    def write(self, address: int, data: bytes) -> None:
        """See `I2c`."""
        from smbus2 import i2c_msg

        self._send(i2c_msg.write(address, data))

    def _send(self, message: Any) -> None:
        """While the data line is held low every bit would be 0 and every one acknowledged: a clock chip set so."""
        with self._lock:
            if self._held:
                raise OSError("the data line is held")
            self._bus.i2c_rdwr(message)

    def hold(self, low: bool) -> None:
        """See `I2c`."""
        if self._data_pin is None:
            raise OSError(f"which pin is the data line of bus {self._number} is not known; use bus 1")
        with self._lock:
            if not low:
                self._give_back()
                return
            try:
                self._take()
            except OSError:
                self._give_back()
                raise

    def _take(self) -> None:
        found = _FUNCTION.search(_pinctrl("get", str(self._data_pin)))
        if found is not None:
            self._function = found[1]
        elif not self._held:  # else it could not be given back the last time, and is still ours
            raise OSError(f"pin {self._data_pin} does not belong to I2C bus {self._number}")
        self._held = True
        _pinctrl("set", str(self._data_pin), "op", "dl")

    def _give_back(self) -> None:
        if self._held and self._function is not None:
            _pinctrl("set", str(self._data_pin), self._function)
            self._held = False

    def close(self) -> None:
        """Lets go of the bus."""
        self._bus.close()


def _pinctrl(*words: str) -> str:
    try:
        ended = subprocess.run(  # noqa: S603 - words are ours
            [_PINCTRL, *words], capture_output=True, text=True, timeout=_PINCTRL_S_MAX, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise OSError(f"the data line cannot be held: {error}") from error
    return ended.stdout
