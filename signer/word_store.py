"""The signer's own copy of who may speak and which loudspeaker belongs where: files, read again when they change.

`grants/`, `denials/` and `assignments/` hold one envelope a file, beside `anchor.json` and, once it came through TUF,
`root-word.json`. Files are only added, never taken away, so what was learned survives whoever sends older words.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from protocol.clock import WallMs
from protocol.denial import RootWord, read_root_word
from protocol.document import KINDS, Kind, kind_of, read
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError, Refusal
from protocol.grants import Anchor, read_anchor
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, CLOCK_SKEW_MS_MAX, ENVELOPE_BYTES_MAX
from signer.disk import write_durably
from signer.errors import SetupError
from signer.i18n import gettext as _
from signer.known import TAKEN_KINDS, Known, believe

_logger = logging.getLogger(__name__)
FOLDERS: Final = {Kind.GRANT: "grants", Kind.DENIAL: "denials", Kind.ASSIGNMENT: "assignments"}
FILES_MAX: Final = 20_000
ROOT_WORD: Final = "root-word.json"
_Mark = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one envelope; the refusal is None when it is believed.

    Attributes:
        fresh: False when it was known before.
    """

    kind: str
    digest: str
    refusal: Refusal | None
    fresh: bool


class WordStore:
    """The files and what follows from them."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._mark: _Mark = ()
        self._taking = Lock()
        self._known = self._read()

    def known(self) -> Known:
        """The present state; whoever puts a file there need not start the signer again."""
        if self._taking.locked():
            return self._known
        mark = self._marked()
        if mark != self._mark:
            try:
                self._known, self._mark = self._read(), mark
            except SetupError as error:
                _logger.warning("the files of authority are not readable now; what was known stays: %s", error)
        return self._known

    def take(self, envelopes: Iterable[Envelope], *, wall: WallMs) -> tuple[Taken, ...]:
        """Believes what holds, whatever its order, and keeps it durably; gives what became of each.

        May run on another thread than `known`, which meanwhile gives what was known before.
        """
        with self._taking:
            return self._take(envelopes, wall)

    def _take(self, envelopes: Iterable[Envelope], wall: WallMs) -> tuple[Taken, ...]:
        given = {one.digest: one for one in envelopes}
        refused = {digest: why for digest, one in given.items() if (why := _misfit(one, wall))}
        stored = [*self._files()]
        fitting = [one for digest, one in given.items() if digest not in refused]
        after = believe(self._anchor(), [*stored, *fitting], root=self._root())
        refused |= {one.digest: why for one, why in after.refused}
        refused |= {
            one.digest: why for one in fitting if (why := _stale(one, after, wall)) and one.digest not in refused
        }
        held = {one.digest for one in stored}
        if len(held) + len(fitting) > FILES_MAX:  # leaving one out when reading would be falling back
            refused |= {one.digest: Refusal.TOO_MANY for one in fitting if one.digest not in held}
        for envelope in fitting:
            if envelope.digest not in refused and envelope.digest not in held:
                path = self._data / FOLDERS[kind_of(envelope)] / f"{envelope.digest}.json"
                write_durably(path, envelope.pack(), mode=0o600)
        self._known, self._mark = self._read(), self._marked()
        return tuple(
            Taken(one.kind[:40], digest, refused.get(digest), digest not in held and digest not in refused)
            for digest, one in given.items()
        )

    def anchor_path(self) -> Path | None:
        """Its own, or in the demo the shared one."""
        paths = (self._data / "anchor.json", self._data.parent / "anchor.json")
        return next((one for one in paths if one.exists()), None)

    def _read(self) -> Known:
        return believe(self._anchor(), self._files(), root=self._root())

    def _anchor(self) -> Anchor:
        path = self.anchor_path()
        if path is None:
            raise SetupError(_("The anchor file is missing. Please enrol this signer first."))
        try:
            return read_anchor(_bytes(path, ALERT_ENVELOPE_BYTES_MAX))
        except (OSError, DocumentError) as error:
            raise SetupError(_("The anchor file is damaged. Please enrol this signer again.")) from error

    def _root(self) -> RootWord | None:
        try:
            return read_root_word(_bytes(self._data / ROOT_WORD, ALERT_ENVELOPE_BYTES_MAX))
        except FileNotFoundError:
            return None
        except (OSError, DocumentError) as error:
            _logger.warning("the word of the root is not readable: %s", error)
            return None

    def _files(self) -> Iterator[Envelope]:
        for kind, folder in FOLDERS.items():
            for path in sorted((self._data / folder).glob("*.json")):
                envelope = _envelope(path)
                if envelope is not None and _taken_kind(envelope) is kind:
                    yield envelope

    def _marked(self) -> _Mark:
        """Name, time and size of every file: differs when any of them does."""
        paths = [self._data / ROOT_WORD, self.anchor_path() or self._data / "anchor.json"]
        for folder in FOLDERS.values():
            paths += sorted((self._data / folder).glob("*.json"))
        found = []
        for path in paths:
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
        return tuple(found)


def _taken_kind(envelope: Envelope) -> Kind | None:
    try:
        kind = kind_of(envelope)
    except DocumentError:
        return None
    return kind if kind in TAKEN_KINDS else None


def _misfit(envelope: Envelope, wall: WallMs) -> Refusal | None:
    kind = _taken_kind(envelope)
    if kind is None:
        return Refusal.UNKNOWN_TYPE
    if len(envelope.payload) > KINDS[kind].bytes_max:
        return Refusal.TOO_LARGE
    try:
        issued = getattr(read(envelope), "issued", wall)
    except DocumentError as error:
        return error.refusal
    return Refusal.NOT_YET_VALID if issued > wall + CLOCK_SKEW_MS_MAX else None


def _stale(envelope: Envelope, known: Known, wall: WallMs) -> Refusal | None:
    """A denial must be allowed today, and a grant not be taken back; words about loudspeakers may be old."""
    kind = kind_of(envelope)
    if kind is Kind.DENIAL:
        return known.verdict(envelope, wall=wall)
    held = known.grants.get(envelope.digest)
    if kind is Kind.GRANT and held is not None:
        return known.objection(held, None, past=True)
    return None


def _envelope(path: Path) -> Envelope | None:
    try:
        return unpack(_bytes(path, ENVELOPE_BYTES_MAX))
    except (OSError, DocumentError, json.JSONDecodeError) as error:
        _logger.warning("%s is not readable: %s", path.name, error)
        return None


def _bytes(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        return file.read(bytes_max + 1)
