"""What is wrong with a line, and how long bytes take over it: what all connections of a device share.

What a TCP proxy can show of a lost segment is what TCP makes of it: all that is behind it waits until it is sent
again, each further loss of the same segment doubles the wait, and after some of them the connection is reset.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

SEGMENT_BYTES: Final = 1400
CHUNK_BYTES: Final = 16 * 1024
_RETRANSMISSION_S: Final = 0.2
"""The least time-out of Linux (TCP_RTO_MIN)."""
_TRIES_MAX: Final = 6


class Direction(Enum):
    """Seen from the device."""

    UP = "up"
    DOWN = "down"


BOTH: Final = frozenset(Direction)


class LineResetError(ConnectionError):
    """The line gives the connection up."""


@dataclass(slots=True)
class BadLine:
    """One device's line; a fresh one is perfect.

    Attributes:
        latency_ms: added in each direction.
        jitter_ms: further latency, between nothing and this; the order stays.
        bytes_per_s: of all connections together, in each direction; None is as fast as it goes.
        loss: share of segments of `SEGMENT_BYTES` that are lost, from 0 to 1.
        drip_s: between single bytes; None does not drip.
        reset_after_bytes: a connection is reset when it has brought so many down; None never.
        chance: draws jitter and losses.
        held: directions in which nothing comes through, and nobody says so.
    """

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    bytes_per_s: float | None = None
    loss: float = 0.0
    drip_s: float | None = None
    reset_after_bytes: int | None = None
    chance: random.Random = field(default_factory=random.Random)
    held: frozenset[Direction] = frozenset()
    _free_at_s: dict[Direction, float] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self, directions: frozenset[Direction]) -> None:
        """From now on nothing comes through there; what was held elsewhere goes on."""
        self.held = directions
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def piece_bytes(self) -> int:
        """How much travels at once."""
        if self.drip_s is not None:
            return 1
        return SEGMENT_BYTES if self.bytes_per_s or self.loss or self.reset_after_bytes is not None else CHUNK_BYTES

    def due_s(self) -> float:
        """When what is sent now arrives at the far end of an idle line."""
        late_ms = self.latency_ms + (self.chance.uniform(0, self.jitter_ms) if self.jitter_ms else 0.0)
        return asyncio.get_running_loop().time() + late_ms / 1000

    async def carry(self, direction: Direction, size_bytes: int) -> None:
        """Returns when so many bytes are through.

        Raises:
            LineResetError: it loses them too often.
        """
        await self._let_through(direction)
        if self.drip_s is not None:
            await asyncio.sleep(self.drip_s)
        await self._lose()
        await self._take_turn(direction, size_bytes)
        await self._let_through(direction)

    async def _let_through(self, direction: Direction) -> None:
        while direction in self.held:
            await self._changed.wait()

    async def _lose(self) -> None:
        wait_s = _RETRANSMISSION_S
        for _ in range(_TRIES_MAX):
            if not self.loss or self.chance.random() >= self.loss:
                return
            await asyncio.sleep(wait_s)
            wait_s *= 2
        raise LineResetError("lost too often")

    async def _take_turn(self, direction: Direction, size_bytes: int) -> None:
        """One segment after another, whichever connection it is of: a line has one width."""
        if not self.bytes_per_s:
            return
        now_s = asyncio.get_running_loop().time()
        through_s = max(now_s, self._free_at_s.get(direction, 0.0)) + size_bytes / self.bytes_per_s
        self._free_at_s[direction] = through_s
        await asyncio.sleep(through_s - now_s)
