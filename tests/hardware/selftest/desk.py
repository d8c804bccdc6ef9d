"""A bench for trials: parts, nobody or somebody at the terminal, and a time of day."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from hardware.selftest.asking import Technician
from hardware.selftest.bench import Bench
from hardware.selftest.parts import Parts
from hardware.selftest.quiet import SoundPermission

MORNING = datetime(2026, 8, 1, 2, 0, tzinfo=UTC)
"""Nine o'clock in Vietnam."""
NIGHT = datetime(2026, 8, 1, 20, 0, tzinfo=UTC)
"""Three o'clock in Vietnam."""


def bench(
    parts: Parts | None = None,
    *,
    answers: str | None = None,
    now: datetime = MORNING,
    yes: bool = True,
    at_night: bool = False,
    data: Path = Path(),
    system: Path = Path("/nowhere"),
    device_file: Path | None = None,
) -> Bench:
    """Nobody is there unless there are answers."""
    technician = Technician(present=answers is not None, told=io.StringIO(), answers=io.StringIO(answers or ""))
    permission = SoundPermission(technician, now, yes=yes, at_night=at_night)
    return Bench(
        parts or Parts(), technician, permission, data, device_file=device_file, system=system, now=lambda: now
    )
