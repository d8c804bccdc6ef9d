"""A second copy of the signed documents: a file each, named by what is in it, so torn ones are known.

The name also says with which save the document came. So of two files the newer one is known without a clock, and a
database that knows less than its mirror has forgotten something: some cards say that they have stored what they have
not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.adapters.files import sync_directory, write_durably
from edge.core.effects import StoredDocument
from protocol.limits import ENVELOPE_BYTES_MAX

_NAME: Final = re.compile(r"([0-9a-f]{16})-([0-9a-f]{64})(?:\.([0-9]{1,15}))?")
_KEY_BYTES_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A document of the save with this number."""

    number: int
    document: StoredDocument


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file is named after. Attributes: digest: of the envelope; number: of the save that brought it."""

    key: str
    digest: str
    number: int

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{hashlib.sha256(self.key.encode()).hexdigest()[:16]}-{self.digest}.{self.number}"


class DocumentMirror:
    """Files `<short digest of key>-<digest of envelope>.<number>`, each with key, newline, envelope."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(exist_ok=True)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is mirrored."""
        return not self._names()

    def has(self, entry: Entry) -> bool:
        """Whether this document is mirrored."""
        return (self._directory / entry.name).exists()

    def read(self, *, after: int = -1) -> tuple[Mirrored, ...]:
        """All of later saves that are whole, the newest of each key, oldest first."""
        names = [(number, name) for name in self._names() if (number := _number(name)) > after]
        found: dict[str, Mirrored] = {}
        for number, name in sorted(names):
            document = _whole(self._directory / name)
            if document is not None:
                found.pop(document.key, None)
                found[document.key] = Mirrored(number, document)
        return tuple(found.values())

    def update(self, documents: Iterable[Mirrored], *, keep: Iterable[Entry]) -> None:
        """Adds documents, then removes all but what is to be kept."""
        for one in documents:
            key, envelope = one.document.key, one.document.envelope
            entry = Entry(key, hashlib.sha256(envelope).hexdigest(), one.number)
            write_durably(self._directory / entry.name, key.encode() + b"\n" + envelope)
        stale = {path.name for path in self._directory.iterdir()} - {one.name for one in keep}
        for name in stale:
            (self._directory / name).unlink(missing_ok=True)
        if stale:
            sync_directory(self._directory)

    def _names(self) -> list[str]:
        return [path.name for path in self._directory.iterdir() if _NAME.fullmatch(path.name)]


def _number(name: str) -> int:
    """Files of an older agent have none, and count as the oldest."""
    return int(name.partition(".")[2] or 0)


def _whole(path: Path) -> StoredDocument | None:
    """None for what is not as it was written, or lies on a spot of the card that cannot be read."""
    try:
        if path.stat().st_size > ENVELOPE_BYTES_MAX + _KEY_BYTES_MAX:
            return None
        first, _, envelope = path.read_bytes().partition(b"\n")
        key = first.decode()
    except (OSError, UnicodeDecodeError):
        return None
    expected = Entry(key, hashlib.sha256(envelope).hexdigest(), 0).name.partition(".")[0]
    return StoredDocument(key, envelope) if path.name.partition(".")[0] == expected else None
