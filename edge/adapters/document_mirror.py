"""A second copy of the signed documents: a file each, named by what is in it, so torn ones are known."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from edge.adapters.files import sync_directory, write_durably
from edge.core.effects import StoredDocument
from protocol.limits import ENVELOPE_BYTES_MAX

_NAME: Final = re.compile(r"([0-9a-f]{16})-([0-9a-f]{64})")
_KEY_BYTES_MAX: Final = 1024


class DocumentMirror:
    """A directory of files `<short digest of key>-<digest of envelope>`, each with key, newline, envelope."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(exist_ok=True)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is mirrored."""
        return not self._names()

    def has(self, key: str, digest: str) -> bool:
        """Whether this document is mirrored."""
        return (self._directory / _name(key, digest)).exists()

    def read(self) -> tuple[StoredDocument, ...]:
        """All that are whole, the newest of each key, oldest first."""
        paths = [self._directory / name for name in self._names()]
        paths.sort(key=lambda path: path.stat().st_mtime_ns)
        found = {}
        for path in paths:
            document = _whole(path)
            if document is not None:
                found[document.key] = document
        return tuple(found.values())

    def update(self, documents: Iterable[StoredDocument], *, keep: Iterable[tuple[str, str]]) -> None:
        """Adds documents, then removes all but those with these keys and digests."""
        for one in documents:
            name = _name(one.key, hashlib.sha256(one.envelope).hexdigest())
            write_durably(self._directory / name, one.key.encode() + b"\n" + one.envelope)
        kept = {_name(key, digest) for key, digest in keep}
        stale = {path.name for path in self._directory.iterdir()} - kept
        for name in stale:
            (self._directory / name).unlink(missing_ok=True)
        if stale:
            sync_directory(self._directory)

    def _names(self) -> list[str]:
        return [path.name for path in self._directory.iterdir() if _NAME.fullmatch(path.name)]


def _name(key: str, digest: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()[:16]}-{digest}"


def _whole(path: Path) -> StoredDocument | None:
    """None for what is not as it was written, or lies on a spot of the card that cannot be read."""
    try:
        if path.stat().st_size > ENVELOPE_BYTES_MAX + _KEY_BYTES_MAX:
            return None
        first, _, envelope = path.read_bytes().partition(b"\n")
        key = first.decode()
    except (OSError, UnicodeDecodeError):
        return None
    return StoredDocument(key, envelope) if path.name == _name(key, hashlib.sha256(envelope).hexdigest()) else None
