"""Which files of the root's directory may be asked for."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Final

_SEGMENT: Final = re.compile(r"[A-Za-z0-9_%~+@=-][A-Za-z0-9._%~+@=-]{0,199}")
_SEGMENTS_MAX: Final = 8
BYTES_MAX: Final = {"metadata": 5_000_000, "targets": 64 * 1024 * 1024}
"""By folder: no client takes more."""
_CHANGES: Final = ("metadata/timestamp.json", "metadata/root.json")


def find(root: Path, name: str) -> Path | None:
    """The ordinary file of a name such as `metadata/1.root.json`, with no link on the way to it; None otherwise."""
    segments = name.split("/")
    named = all(_SEGMENT.fullmatch(one) for one in segments)
    if not named or not 2 <= len(segments) <= _SEGMENTS_MAX or segments[0] not in BYTES_MAX:
        return None
    place = root
    for segment in segments:
        place = place / segment
        try:
            status = place.lstat()
        except OSError:
            return None
        if stat.S_ISLNK(status.st_mode):
            return None
    fits = stat.S_ISREG(status.st_mode) and status.st_size <= BYTES_MAX[segments[0]]
    return place if fits else None


def is_lasting(name: str) -> bool:
    """Whether a name always means the same bytes: its version or digest is part of it."""
    return name not in _CHANGES and re.match(r"[0-9]+\.|[0-9a-f]{64}\.", name.rpartition("/")[2]) is not None
