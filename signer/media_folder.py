"""Finds recordings in a folder that somebody names, such as a stick: by size and digest, whatever they are called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from protocol.bulletin import MediaRef

FILES_MAX: Final = 5000
DEPTH_MAX: Final = 4
_CHUNK_BYTES: Final = 256 * 1024


def find_recording(folder: Path, media: MediaRef) -> Path | None:
    """The file with exactly these bytes; links are not followed."""
    for path in _files(folder):
        try:
            if path.stat().st_size == media.size_bytes and digest_of(path) == media.digest:
                return path
        except OSError:
            continue
    return None


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    seen = 0
    for root, directories, names in os.walk(folder):
        if len(Path(root).relative_to(folder).parts) >= DEPTH_MAX:
            directories.clear()
        for name in sorted(names):
            seen += 1
            if seen > FILES_MAX:
                return
            path = Path(root) / name
            if path.is_file() and not path.is_symlink():
                yield path
