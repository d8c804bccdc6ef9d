"""What this signer has signed: an append-only log and the envelopes themselves, by digest.

From the log come the versions and numbers that may not be signed twice, and the last version to compare with. Each
line names the SHA-256 of the line before it, so a line that was changed or taken out of the middle shows.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind, read
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.units import UnitPath
from signer.disk import append_durably, write_durably
from signer.signable import Signable, number_of, series_of, subject_of

_logger = logging.getLogger(__name__)
_LINE_BYTES_MAX: Final = 8 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One signature.

    Attributes:
        key, holder: whose signature it is.
        number: version, sequence, serial or epoch; None where there is none.
        subject: the office that a grant or a denial is about.
        former: SHA-256 of the line before; None on lines from before there was a chain.
    """

    wall: WallMs
    kind: Kind
    scope: UnitPath
    digest: str
    key: str
    holder: str
    number: int | None = None
    subject: str | None = None
    former: str | None = None
    schema: int = 1


class SignedLog:
    """The log on disk, with what it implies kept in memory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._newest: dict[tuple[str, UnitPath], Entry] = {}
        self._numbers: dict[tuple[str, UnitPath, int], str] = {}
        self._entries: list[Entry] = []
        self._last = ""
        for line in self._lines():
            self._last = _digest(line)
            if entry := _entry(line):
                self._remember(entry)

    def add(self, envelope: Envelope, *, kind: Kind, document: Signable, wall: WallMs, key: str, holder: str) -> None:
        """Stores the envelope and one line that names it; returns when both are durable."""
        write_durably(self._envelope_path(envelope.digest), envelope.pack())
        number, subject = number_of(document), subject_of(document)
        entry = Entry(wall, kind, document.scope, envelope.digest, key, holder, number, subject, self._last)
        line = codec.encode(entry)
        append_durably(self._path, line)
        self._last = _digest(line)
        self._remember(entry)

    @property
    def _path(self) -> Path:
        return self._directory / "log.jsonl"

    def entries(self) -> tuple[Entry, ...]:
        """Every readable line, oldest first."""
        return tuple(self._entries)

    def content(self) -> bytes:
        """The log as it lies on the disk."""
        return self._path.read_bytes() if self._path.exists() else b""

    def broken_line(self) -> int | None:
        """Number of the first line that does not follow the one before it; None when the chain holds."""
        last, chained = "", False
        for at, line in enumerate(self._lines(), 1):
            entry = _entry(line)
            # A line that a power cut tore is followed like any other; one from before there was a chain names none.
            if entry is not None and (chained or entry.former is not None):
                if entry.former != last:
                    return at
                chained = True
            last = _digest(line)
        return None

    def newest(self, kind: Kind, scope: UnitPath, subject: str | None = None) -> Entry | None:
        """The entry with the highest number of a kind in a unit."""
        return self._newest.get((series_of(kind, subject), scope))

    def digest_of(self, kind: Kind, scope: UnitPath, number: int, subject: str | None = None) -> str | None:
        """What was signed under a number."""
        return self._numbers.get((series_of(kind, subject), scope, number))

    def envelope(self, digest: str) -> Envelope | None:
        """An envelope that was signed here, with all signatures it had then."""
        try:
            return unpack(self._envelope_path(digest).read_bytes())
        except (OSError, DocumentError):
            return None

    def last_document(self, kind: Kind, scope: UnitPath) -> Signable | None:
        """The document with the highest number of a kind in a unit, to compare the new one with."""
        entry = self.newest(kind, scope)
        envelope = self.envelope(entry.digest) if entry else None
        document = read(envelope) if envelope else None
        return document if isinstance(document, Signable) else None

    def _envelope_path(self, digest: str) -> Path:
        return self._directory / "envelopes" / f"{digest}.json"

    def _remember(self, entry: Entry) -> None:
        self._entries.append(entry)
        if entry.number is None:
            return
        series = series_of(entry.kind, entry.subject)
        self._numbers[series, entry.scope, entry.number] = entry.digest
        former = self._newest.get((series, entry.scope))
        if former is None or (former.number or 0) <= entry.number:
            self._newest[series, entry.scope] = entry

    def _lines(self) -> list[bytes]:
        return self.content().splitlines()


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _entry(line: bytes) -> Entry | None:
    try:
        return codec.decode(Entry, line, bytes_max=_LINE_BYTES_MAX)
    except DocumentError as error:
        _logger.warning("a line of the signing log is not readable: %s", error)
        return None
