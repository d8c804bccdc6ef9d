"""A board for the guardian's control loop on CPython: what the computer sends is put in, what shows is read off."""

from __future__ import annotations


class SimPanel:
    """Implements `hardware.guardian.control.Panel`.

    Attributes:
        coming: bytes from the computer that the loop has not taken yet.
        sent: what it sent.
        sound, fm, amplifier: the three lines.
        jumper: whether the pairing jumper is closed.
    """

    def __init__(self) -> None:
        self.coming = b""
        self.sent = b""
        self.sound = self.fm = self.amplifier = self.jumper = False

    def receive(self, count: int) -> bytes:
        """See `Panel`."""
        taken, self.coming = self.coming[:count], self.coming[count:]
        return taken

    def send(self, data: bytes) -> None:
        """See `Panel`."""
        self.sent += data

    def set_relay(self, sound: bool, fm: bool) -> None:
        """See `Panel`."""
        self.sound, self.fm = sound, fm

    def set_amplifier(self, on: bool) -> None:
        """See `Panel`."""
        self.amplifier = on

    def pairing(self) -> bool:
        """See `Panel`."""
        return self.jumper

    def entropy(self, count: int) -> bytes:
        """See `Panel`; always the same, so nobody may rely on it alone."""
        return bytes(count)
