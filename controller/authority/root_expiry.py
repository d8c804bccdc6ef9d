"""When the root's files run out, read from their own words. Nothing is verified here: whoever uses them does that."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from protocol.clock import WallMs

ROLES: Final = ("root", "targets", "snapshot", "timestamp")
FILE_BYTES_MAX: Final = 5_000_000
FILES_MAX: Final = 20_000
_NAME: Final = re.compile(r"(?:([0-9]{1,9})\.)?(root|targets|snapshot|timestamp)\.json")


@dataclass(frozen=True, slots=True)
class RootFile:
    """A role's newest file; `expires` is None when the file cannot be read."""

    role: str
    expires: WallMs | None


def read_root_files(folder: Path) -> tuple[RootFile, ...]:
    """The newest file of each role in `metadata`; nothing when no root is served here."""
    newest = _newest(folder / "metadata")
    return tuple(RootFile(role, _expiry(newest[role])) for role in ROLES if role in newest)


def _newest(folder: Path) -> dict[str, Path]:
    found: dict[str, tuple[int, Path]] = {}
    try:
        for _, path in zip(range(FILES_MAX), folder.iterdir(), strict=False):
            named = _NAME.fullmatch(path.name)
            if named is not None:
                version = int(named[1] or 0)
                if version >= found.get(named[2], (-1, path))[0]:
                    found[named[2]] = (version, path)
    except OSError:
        return {}
    return {role: path for role, (_, path) in found.items()}


def _expiry(path: Path) -> WallMs | None:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            return None
        text = json.loads(data)["signed"]["expires"]
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return WallMs(int(moment.timestamp() * 1000))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
