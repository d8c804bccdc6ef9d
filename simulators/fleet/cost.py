"""What processes need: processor time over a while, and memory, told for each device."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import psutil

_MB: Final = 1024 * 1024


@dataclass(slots=True)
class Cost:
    """Counts from the moment it is made.

    Attributes:
        groups: processes by the name under which they are told.
    """

    groups: Mapping[str, Sequence[psutil.Process]]
    _began_s: float = field(default_factory=time.monotonic)
    _before: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._before = {name: _spent_s(group) for name, group in self.groups.items()}

    def spent_s(self) -> dict[str, float]:
        """Seconds of processor since then: `<group>_cpu_s`."""
        spent = {name: _spent_s(group) - self._before[name] for name, group in self.groups.items()}
        return {f"{name}_cpu_s": round(value, 2) for name, value in spent.items()}

    def percent(self) -> dict[str, float]:
        """Of one core since then: `<group>_cpu_percent`."""
        elapsed_s = time.monotonic() - self._began_s
        spent = {name: _spent_s(group) - self._before[name] for name, group in self.groups.items()}
        return {f"{name}_cpu_percent": round(100 * value / elapsed_s, 2) for name, value in spent.items()}

    def memory(self) -> dict[str, float]:
        """What would be free if the group ended: `<group>_mb`."""
        held = {name: sum(one.memory_full_info().uss for one in group) for name, group in self.groups.items()}
        return {f"{name}_mb": round(value / _MB, 1) for name, value in held.items()}


def _spent_s(group: Sequence[psutil.Process]) -> float:
    times = [one.cpu_times() for one in group]
    return sum(one.user + one.system for one in times)
