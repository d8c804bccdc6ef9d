"""One turn of the loop: what the computer sent, what the tuner hears, what follows, and the pins that show it.

Knows no pin and no clock: a `Panel` of the board does what is said, and time is handed in. The same object runs on
the RP2040, in the interpreter of the tests, and on CPython.
"""

import hashlib

from hardware.guardian.computer import KEY_FILE, Computer
from hardware.guardian.flash import Flash
from hardware.guardian.guard import Guard
from hardware.guardian.radio import Radio
from hardware.guardian.relay import Relay
from hardware.guardian.resets import Resets
from hardware.guardian.rtc import Rtc
from hardware.guardian.wire import NONCE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from hardware.si4703 import Bus, Si4703

    class Panel(Protocol):
        """What the board can do."""

        def receive(self, count: int) -> bytes:
            """At most so many bytes from the computer; never waits."""
            ...

        def send(self, data: bytes) -> None:
            """Puts bytes on the wire to the computer."""
            ...

        def set_relay(self, sound: bool, fm: bool) -> None:
            """Pulls or drops the two relays."""
            ...

        def set_amplifier(self, on: bool) -> None:
            """The amplifier's enable line."""
            ...

        def pairing(self) -> bool:
            """Whether the pairing jumper is closed."""
            ...

        def entropy(self, count: int) -> bytes:
            """Random bytes."""
            ...


BYTES_PER_TURN = 512
"""A turn takes 10 ms, in which 115,200 baud bring 115 bytes: no flood is faster, and none holds a turn up."""


class Control:
    """Everything the guardian does, turn by turn.

    Args:
        panel: the board.
        chip: the tuner of the variant that has one.
        by_watchdog: whether the chip says that the watchdog has bitten.
    """

    def __init__(
        self, panel: "Panel", flash: Flash, *, bus: "Bus", chip: "Si4703 | None", by_watchdog: bool, now_ms: int
    ) -> None:
        self._panel = panel
        self._flash = flash
        self._draws = 0
        self.resets = Resets(flash, by_watchdog=by_watchdog)
        self.guard = Guard(now_ms)
        self.relay = Relay()
        self._radio = Radio(chip, now_ms)
        rtc = Rtc(bus)
        self.computer = Computer(
            self.guard,
            flash=flash,
            resets=self.resets,
            radio=self._radio,
            rtc=rtc,
            send=panel.send,
            fresh=self._fresh,
            pairing=panel.pairing,
        )
        self.guard.clock.read_chip(now_ms, rtc.wall_ms())

    def turn(self, now_ms: int) -> None:
        """Goes round once."""
        self.computer.receive(now_ms, self._panel.receive(BYTES_PER_TURN))
        if self._radio.turn(now_ms, self.guard.tune_khz):
            radio = self._radio
            self.guard.reading(now_ms, radio.tuned_khz, radio.rssi_dbuv, radio.pi)
        self.guard.has_tuner = self._radio.present
        self.guard.turn(now_ms)
        self.relay.turn(now_ms, self.guard.source)
        self._panel.set_relay(self.relay.sound, self.relay.fm)
        self._panel.set_amplifier(self.guard.amplifier)

    def _fresh(self) -> bytes:
        """A nonce that never comes again: the ring oscillator's bits, made unique by counting starts and draws."""
        self._draws += 1
        count = self.resets.boots.to_bytes(4, "big") + self._draws.to_bytes(4, "big")
        secret = self._flash.read(KEY_FILE) or b""
        return hashlib.sha256(secret + count + self._panel.entropy(32)).digest()[:NONCE_BYTES]
