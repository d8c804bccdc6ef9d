"""How often the guardian started and why: a bounded ring in flash, told to the computer on request.

The RP2040 reports a watchdog reset also after `machine.reset()`, so a reset on purpose leaves a note beforehand.
"""

import struct

from hardware.guardian.message import POWER, RESETS_MAX, SOFT, WATCHDOG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hardware.guardian.flash import Flash

_NAME = "resets"
_NOTE = "on_purpose"
_ENTRY = ">IBQ"
_MAGIC = b"LR1"


class Resets:
    """Counts this start and remembers the last 32.

    Args:
        by_watchdog: what the chip says.

    Attributes:
        boots: how often it has started, this time included.
        cause: POWER, WATCHDOG or SOFT.
    """

    def __init__(self, flash: "Flash", *, by_watchdog: bool) -> None:
        self._flash = flash
        self._entries = _entries(flash.read(_NAME))
        self.cause = _cause(flash, by_watchdog)
        self.boots = (self._entries[-1][0] if self._entries else 0) + 1
        self._entries.append((self.boots, self.cause, 0))
        self._store()

    def dated(self, wall_ms: int) -> None:
        """The hour has become known: this start gets its time. Called once."""
        self._entries[-1] = (self.boots, self.cause, wall_ms)
        self._store()

    def told(self) -> list[tuple[int, int, int]]:
        """Count, cause and wall time in ms (0: unknown) of each, oldest first."""
        return self._entries

    def _store(self) -> None:
        self._entries = self._entries[-RESETS_MAX:]
        self._flash.write(_NAME, _MAGIC + b"".join([struct.pack(_ENTRY, *one) for one in self._entries]))


def announce(flash: "Flash") -> None:
    """The reset that comes now is on purpose."""
    flash.write(_NOTE, b"1")


def _cause(flash: "Flash", by_watchdog: bool) -> int:
    if flash.read(_NOTE) is not None:
        flash.remove(_NOTE)
        return SOFT
    return WATCHDOG if by_watchdog else POWER


def _entries(data: bytes | None) -> list[tuple[int, int, int]]:
    size = struct.calcsize(_ENTRY)
    if data is None or data[:3] != _MAGIC or (len(data) - 3) % size:
        return []
    found = [struct.unpack(_ENTRY, data[at : at + size]) for at in range(3, len(data), size)]
    return [(boots, cause, wall_ms) for boots, cause, wall_ms in found if cause in (POWER, WATCHDOG, SOFT)]
