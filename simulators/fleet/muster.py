"""Counts, within one process, which of its devices have come to something, and tells when all have.

What is told is one JSON line with every instant, on the machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

MARKS_MAX: Final = 1000


class Muster:
    """One process's share of the fleet.

    Args:
        count: how many devices there are here.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._came: dict[str, dict[str, int]] = {}

    def mark(self, name: str, device: str, at_ns: int) -> None:
        """A device has come to it; only the first time counts."""
        if name not in self._came and len(self._came) >= MARKS_MAX:
            del self._came[next(iter(self._came))]
        came = self._came.setdefault(name, {})
        if device not in came:
            came[device] = at_ns
            if len(came) == self._count:
                self.tell(name)

    def tell(self, name: str) -> None:
        """Who has come so far, or all."""
        say(mark=name, at_ns=sorted(self._came.get(name, {}).values()))


def say(**values: Any) -> None:
    """A line for whoever started this process."""
    print(json.dumps(values, separators=(",", ":")), file=sys.stdout, flush=True)
