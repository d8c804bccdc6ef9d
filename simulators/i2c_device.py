"""The kernel's side of /dev/i2c-N, so that smbus2 itself talks to models of chips."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any, Final, Protocol

from simulators.i2c_bus import SimI2cBus

_I2C_FUNCS: Final = 0x0705
_I2C_RDWR: Final = 0x0707
_I2C_M_RD: Final = 0x0001
_FUNC_I2C: Final = 0x0001
_HANDLE: Final = 1000


class Patches(Protocol):
    """What pytest's `monkeypatch` does."""

    def setattr(self, target: str, name: Any) -> None:
        """Puts something in the place of what a dotted name stands for, until the test ends."""
        ...


class SimI2cDevice:
    """Takes the calls that smbus2 makes of the kernel: plain messages (I2C_RDWR), and what the adapter can do."""

    def __init__(self, bus: SimI2cBus) -> None:
        self._bus = bus
        self.opened: list[str] = []

    def stand_in(self, patches: Patches) -> None:
        """From now on smbus2 opens this instead of a device file."""
        system = SimpleNamespace(open=self._open, close=lambda handle: None, O_RDWR=2)
        patches.setattr("smbus2.smbus2.os", system)
        patches.setattr("smbus2.smbus2.ioctl", self._ioctl)

    def _open(self, path: str, flags: int) -> int:
        self.opened.append(path)
        return _HANDLE

    def _ioctl(self, handle: int, request: int, argument: Any) -> int:
        assert handle == _HANDLE, "a handle of ours"
        if request == _I2C_FUNCS:
            argument.value = _FUNC_I2C
        elif request == _I2C_RDWR:
            for at in range(argument.nmsgs):
                self._transfer(argument.msgs[at])
        else:
            raise OSError(25, "the adapter knows plain messages only")
        return 0

    def _transfer(self, message: Any) -> None:
        if message.flags & _I2C_M_RD:
            data = self._bus.read(message.addr, message.len)
            ctypes.memmove(message.buf, data, message.len)
        else:
            self._bus.write(message.addr, ctypes.string_at(message.buf, message.len))
