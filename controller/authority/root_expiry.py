"""When the root's files run out, read from their own words. Nothing is verified here: whoever uses them does that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from controller.root_files.published import newest_metadata, read_signed
from protocol.clock import WallMs

ROLES: Final = ("root", "targets", "snapshot", "timestamp")


@dataclass(frozen=True, slots=True)
class RootFile:
    """A role's newest file; `expires` is None when the file cannot be read."""

    role: str
    expires: WallMs | None


def read_root_files(folder: Path) -> tuple[RootFile, ...]:
    """The newest file of each role in `metadata`; nothing when no root is served here."""
    newest = newest_metadata(folder / "metadata")
    return tuple(RootFile(role, _expiry(newest[role])) for role in ROLES if role in newest)


def _expiry(path: Path) -> WallMs | None:
    try:
        moment = datetime.strptime(read_signed(path)["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return WallMs(int(moment.timestamp() * 1000))
    except (OSError, ValueError, KeyError, TypeError):
        return None
