"""What a device has to tell after days without a link: as-run records in its real outbox, as it leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge.adapters.outbox import SqliteOutbox
from edge.reporter import Letter
from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.report import AsRun, EndReason
from protocol.topics import up_topic

_WORTH: Final = 2
_LASTED_MS: Final = 60_000


def write_as_runs(data: Path, device: str, *, now: WallMs, days: int, a_day: int) -> tuple[str, ...]:
    """Fills the outbox below an agent's data directory; gives the ids, the oldest first."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    count = days * a_day
    told = [_as_run(device, number, WallMs(now - (count - number) * DAY_MS // a_day)) for number in range(count)]
    outbox = SqliteOutbox(data / "outbox.db")
    outbox.append([Letter(up_topic(device, AsRun), codec.encode(one), _WORTH) for one in told])
    outbox.close()
    return tuple(one.id for one in told)


def _as_run(device: str, number: int, began: WallMs) -> AsRun:
    """A stored programme that was heard; as long as a real one's record."""
    return AsRun(
        id=f"{number:032x}",
        device=device,
        rung=6,
        source=f"{number:064x}",
        began=began,
        ended=WallMs(began + _LASTED_MS),
        end_reason=EndReason.COMPLETE,
        level_cdb=-1_800,
        output_level_cdb=-1_750,
        document="d" * 64,
        item=f"morning-{number}",
        start=began,
    )
