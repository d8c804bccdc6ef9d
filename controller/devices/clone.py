"""Signs that two boxes use one device's identity. Pure.

A copied key cannot make anything sound: what comes down is public and signed. But the two throw each other off the
broker, and the reports of one may be the reports of the other. A box that boots names itself anew and never returns
to a former name; so a name that comes back after another one is spoken by a second box. Connections that are made
more often than one box's growing pauses allow (1, 2, 4 … seconds: eight in two minutes) say it too, but less surely:
a box whose power flickers looks the same.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

WINDOW_MS: Final = 15 * 60_000
CONNECTS_MANY: Final = 10
CONNECTS_WINDOW_MS: Final = 2 * 60_000
AGAIN_MS: Final = 60_000
"""A sign that lasts is told once a minute."""
FLAP_FADES_MS: Final = 86_400_000
_BOOTS_MAX: Final = 4


class CloneSign(StrEnum):
    """Why a second box is suspected."""

    BOOTS_ALTERNATE = "boots_alternate"
    CONNECTIONS_FLAP = "connections_flap"


@dataclass(slots=True)
class CloneWatch:
    """What one device said about itself lately.

    Attributes:
        boots: boot ids with the device's own clock at their last word, the latest speaker last.
    """

    boots: dict[str, tuple[int, int]] = field(default_factory=dict)
    connects: deque[int] = field(default_factory=lambda: deque(maxlen=CONNECTS_MANY))
    told: dict[CloneSign, int] = field(default_factory=dict)

    def heard(self, boot: str, *, wall: int, now: int) -> CloneSign | None:
        """Takes in a status.

        Args:
            wall: when it was made, by the device's clock: a late status of the former boot is no return.
            now: by the controller's clock.
        """
        last = next(reversed(self.boots), None)
        former = self.boots.pop(boot, None)
        self.boots[boot] = (max(wall, former[0]) if former else wall, now)
        while len(self.boots) > _BOOTS_MAX:
            del self.boots[next(iter(self.boots))]
        if last is None or last == boot or former is None:
            return None
        later_than_other = wall > self.boots[last][0]
        return CloneSign.BOOTS_ALTERNATE if later_than_other and 0 <= now - former[1] <= WINDOW_MS else None

    def connected(self, *, now: int) -> CloneSign | None:
        """Takes in a connection that was made."""
        self.connects.append(now)
        full = len(self.connects) == CONNECTS_MANY
        return CloneSign.CONNECTIONS_FLAP if full and 0 <= now - self.connects[0] <= CONNECTS_WINDOW_MS else None

    def is_news(self, sign: CloneSign, *, now: int) -> bool:
        """Whether the sign was not told within the last minute."""
        if 0 <= now - self.told.get(sign, -AGAIN_MS) < AGAIN_MS:
            return False
        self.told[sign] = now
        return True

    def forget(self) -> None:
        """The device got a new identity."""
        self.boots.clear()
        self.connects.clear()
        self.told.clear()
