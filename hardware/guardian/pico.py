"""The RP2040 board: pins, UART, I2C, watchdog. The only module that imports `machine`; wiring in `docs/guardian.md`.

Every output sets level and direction in one act, and its level at rest is low: without power, in reset and after a
crash both relays have fallen and the amplifier is off (each line has a pull-down of its own on the board).
"""

import os
import time

import machine  # type: ignore[import-not-found]

from hardware.si4703 import Si4703

UART_TX, UART_RX = 0, 1
SDA, SCL = 4, 5
RELAY_SOUND, RELAY_FM, AMPLIFIER = 6, 7, 8
TUNER_RESET = 9
PAIRING = 22
BAUD = 115_200
BUFFER_BYTES = 2048
WATCHDOG_MS = 5000
I2C_HZ = 100_000


class Bus:
    """Plain messages on I2C, as the drivers want them."""

    def __init__(self) -> None:
        self._i2c = None
        self.take()

    def take(self) -> None:
        """Gives the two lines to the bus."""
        self._i2c = machine.I2C(0, sda=machine.Pin(SDA), scl=machine.Pin(SCL), freq=I2C_HZ, timeout=20_000)

    def hold_data(self, low: bool) -> None:
        """Pulls the data line low, or lets the bus have it back."""
        if low:
            machine.Pin(SDA, machine.Pin.OUT, value=0)
        else:
            self.take()

    def read(self, address: int, count: int) -> bytes:
        """One read message. Raises OSError."""
        return self._i2c.readfrom(address, count)  # type: ignore[attr-defined, no-any-return]

    def write(self, address: int, data: bytes) -> None:
        """One write message. Raises OSError."""
        self._i2c.writeto(address, data)  # type: ignore[attr-defined]


class Pico:
    """The board as `control.Panel` wants it."""

    def __init__(self) -> None:
        # First of all, so that the outputs are at rest whatever comes after.
        self._sound = machine.Pin(RELAY_SOUND, machine.Pin.OUT, value=0)
        self._fm = machine.Pin(RELAY_FM, machine.Pin.OUT, value=0)
        self._amplifier = machine.Pin(AMPLIFIER, machine.Pin.OUT, value=0)
        self._pairing = machine.Pin(PAIRING, machine.Pin.IN, machine.Pin.PULL_UP)
        self._uart = machine.UART(
            0, BAUD, tx=machine.Pin(UART_TX), rx=machine.Pin(UART_RX), rxbuf=BUFFER_BYTES, txbuf=BUFFER_BYTES
        )
        self._ticks = time.ticks_ms()  # type: ignore[attr-defined]
        self._now_ms = 0
        self.bus = Bus()
        reset = machine.Pin(TUNER_RESET, machine.Pin.OUT, value=0)
        self.chip = Si4703(self.bus, reset=reset, hold_sdio=self.bus.hold_data)
        self.by_watchdog = machine.reset_cause() == machine.WDT_RESET
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)

    def now_ms(self) -> int:
        """Monotonic time; the board's own ticks begin again after 12 days."""
        ticks = time.ticks_ms()  # type: ignore[attr-defined]
        self._now_ms += time.ticks_diff(ticks, self._ticks)  # type: ignore[attr-defined]
        self._ticks = ticks
        return self._now_ms

    def receive(self, count: int) -> bytes:
        """See `control.Panel`."""
        there = min(count, self._uart.any())
        return (self._uart.read(there) or b"") if there else b""

    def send(self, data: bytes) -> None:
        """See `control.Panel`."""
        self._uart.write(data)

    def set_relay(self, sound: bool, fm: bool) -> None:
        """See `control.Panel`."""
        self._sound.value(sound)
        self._fm.value(fm)

    def set_amplifier(self, on: bool) -> None:
        """See `control.Panel`."""
        self._amplifier.value(on)

    def pairing(self) -> bool:
        """See `control.Panel`."""
        return not self._pairing.value()

    def entropy(self, count: int) -> bytes:
        """See `control.Panel`: the ring oscillator's bits."""
        return os.urandom(count)

    def rest(self) -> None:
        """All outputs low."""
        self.set_amplifier(False)
        self.set_relay(False, False)

    def feed(self) -> None:
        """Only the control loop calls this."""
        self._watchdog.feed()

    def sleep_ms(self, duration_ms: int) -> None:
        """Waits."""
        time.sleep_ms(duration_ms)  # type: ignore[attr-defined]

    def reset(self) -> None:
        """Starts anew."""
        machine.reset()
