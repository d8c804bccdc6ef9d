"""An I2C bus with models of chips on it; runs under CPython and MicroPython.

It fails as Linux does: OSError 121 (EREMOTEIO) when nobody acknowledges, 110 (ETIMEDOUT) while the data line is held
low.
"""

NOBODY = 121
TIMED_OUT = 110
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Chip(Protocol):
        """What sits at an address. Raises OSError(NOBODY) while it does not acknowledge."""

        def read(self, count: int) -> bytes:
            """A read message."""
            ...

        def write(self, data: bytes) -> None:
            """A write message."""
            ...


class SimI2cBus:
    """Implements `hardware.si4703.Bus`.

    Attributes:
        chips: by address; put one in, take one out.
        stuck: something holds the data line low: the known illness of buses whose master was reset within a byte.
        messages: how many were tried.
    """

    def __init__(self) -> None:
        self.chips: "dict[int, Chip]" = {}  # noqa: UP037 the name exists for the type checker only
        self.stuck = False
        self.messages = 0
        self._held = False

    def hold(self, low: bool) -> None:
        """Pulls the data line low, or lets it go."""
        self._held = low

    def data_is_low(self) -> bool:
        """The level of the data line while nobody talks, inverted."""
        return self._held or self.stuck

    def read(self, address: int, count: int) -> bytes:
        """See `hardware.si4703.Bus`."""
        return self._chip(address).read(count)

    def write(self, address: int, data: bytes) -> None:
        """See `hardware.si4703.Bus`."""
        self._chip(address).write(data)

    def _chip(self, address: int) -> "Chip":
        self.messages += 1
        if self.data_is_low():
            raise OSError(TIMED_OUT, "the data line is held low")
        if address not in self.chips:
            raise OSError(NOBODY, "nobody acknowledges")
        return self.chips[address]
