"""What a trial works with: the parts of the board, the technician, and where this machine tells about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hardware.selftest.asking import Technician
from hardware.selftest.parts import Parts
from hardware.selftest.quiet import SoundPermission

LEVEL_DBFS_DEFAULT = -30
LEVEL_DBFS_MAX = -12
LEVEL_DBFS_MIN = -50


def _present() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the self-test.

    Attributes:
        device_file: `device.json`; None: this board is not enrolled, so there is no link to try.
        data: the agent's data directory; where the disk is measured.
        system: where `sys` and `proc` are; another directory in tests.
        level_dbfs: how loud the sweep is, at most; −30 dBFS is speech across a table from a 50 W horn.
    """

    parts: Parts
    technician: Technician
    permission: SoundPermission
    data: Path
    device_file: Path | None = None
    system: Path = field(default_factory=lambda: Path("/"))
    level_dbfs: int = LEVEL_DBFS_DEFAULT
    now: Callable[[], datetime] = _present
