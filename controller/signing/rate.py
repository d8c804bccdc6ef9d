"""How often one address may knock at a door that needs no sign-in."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from protocol.clock import WallMs

ADDRESSES_MAX: Final = 10_000


@dataclass(slots=True)
class RateLimit:
    """A bucket for each address: `burst` at once, refilled within `refill_ms`."""

    burst: int
    refill_ms: int
    _buckets: OrderedDict[str, tuple[float, WallMs]] = field(default_factory=OrderedDict)

    def take(self, address: str, now: WallMs, *, count: int = 1) -> bool:
        """Whether so many more are allowed; takes them if they are."""
        left, since = self._buckets.pop(address, (float(self.burst), now))
        refilled = min(float(self.burst), left + max(0, now - since) * self.burst / self.refill_ms)
        allowed = refilled >= count
        self._buckets[address] = (refilled - count if allowed else refilled, now)
        while len(self._buckets) > ADDRESSES_MAX:
            self._buckets.popitem(last=False)
        return allowed
