"""What this signer has signed: an append-only log and the envelopes themselves, by digest.

From the log come the versions and numbers that may not be signed twice, and the last version to compare with.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind, SpeechDocument, read
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.units import UnitPath
from signer.disk import append_durably, write_durably

_logger = logging.getLogger(__name__)
_LINE_BYTES_MAX: Final = 8 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One signature.

    Attributes:
        number: the version of a schedule or configuration, the sequence of anything else; None for a cancel.
    """

    wall: WallMs
    kind: Kind
    scope: UnitPath
    digest: str
    key: str
    holder: str
    number: int | None = None
    schema: int = 1


class SignedLog:
    """The log on disk, with what it implies kept in memory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._newest: dict[tuple[str, UnitPath], Entry] = {}
        self._numbers: dict[tuple[str, UnitPath, int], str] = {}
        for entry in self._stored():
            self._remember(entry)

    def add(
        self, envelope: Envelope, *, kind: Kind, document: SpeechDocument, wall: WallMs, key: str, holder: str
    ) -> None:
        """Stores the envelope and one line that names it; returns when both are durable."""
        write_durably(self._envelope_path(envelope.digest), envelope.pack())
        number = number_of(document)
        entry = Entry(wall, kind, document.scope, envelope.digest, key, holder, number)
        append_durably(self._directory / "log.jsonl", codec.encode(entry))
        self._remember(entry)

    def newest(self, kind: Kind, scope: UnitPath) -> Entry | None:
        """The entry with the highest number of a kind in a unit."""
        return self._newest.get((_series(kind), scope))

    def digest_of(self, kind: Kind, scope: UnitPath, number: int) -> str | None:
        """What was signed under a number."""
        return self._numbers.get((_series(kind), scope, number))

    def envelope(self, digest: str) -> Envelope | None:
        """An envelope that was signed here, with all signatures it had then."""
        try:
            return unpack(self._envelope_path(digest).read_bytes())
        except (OSError, DocumentError):
            return None

    def last_document(self, kind: Kind, scope: UnitPath) -> SpeechDocument | None:
        """The document with the highest number of a kind in a unit, to compare the new one with."""
        entry = self.newest(kind, scope)
        envelope = self.envelope(entry.digest) if entry else None
        document = read(envelope) if envelope else None
        return document if isinstance(document, SpeechDocument) else None

    def _envelope_path(self, digest: str) -> Path:
        return self._directory / "envelopes" / f"{digest}.json"

    def _remember(self, entry: Entry) -> None:
        if entry.number is None:
            return
        series = _series(entry.kind)
        self._numbers[series, entry.scope, entry.number] = entry.digest
        former = self._newest.get((series, entry.scope))
        if former is None or (former.number or 0) <= entry.number:
            self._newest[series, entry.scope] = entry

    def _stored(self) -> list[Entry]:
        path = self._directory / "log.jsonl"
        entries = []
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                entries.append(codec.decode(Entry, line, bytes_max=_LINE_BYTES_MAX))
            except DocumentError as error:
                _logger.warning("a line of the signing log is not readable: %s", error)
        return entries


def number_of(document: SpeechDocument) -> int | None:
    """Version or sequence, whichever the document has."""
    version: int | None = getattr(document, "version", None)
    sequence: int | None = getattr(document, "sequence", None)
    return sequence if version is None else version


def _series(kind: Kind) -> str:
    """Whatever acts at once shares one row of numbers in a unit, because devices look for replays in one."""
    return kind.value if kind in (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG) else "sequence"
