"""Trust.md: "sequence or version above the stored high-water"; behaviour, section 6. Versions never fall.

Judged by what a device itself tells: the versions in force in its statuses never fall and keep their digest, each is
one that was truly signed, and of two documents with one number from one key only the first is received. Allowed:
after a deny epoch, which takes back what a thief signed, after a move, and on a card that lost its memory.
"""

from __future__ import annotations

from typing import Final

from protocol.alert import Alert, Stop
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.live import LiveSession
from protocol.report import Receipt, Standing, Status
from simulators.world.checkers.authority import version_of
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.office import Signed
from simulators.world.trace import Record

_SETTLED_MS: Final = 120_000
"""A status may have waited in the broker while a denial overtook it."""
Mark = tuple[int, str]


class Versions:
    """Keeps the highest that each device told."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._marks: dict[tuple[str, str, str], Mark] = {}
        self._walls: dict[str, WallMs] = {}
        self._taken: dict[tuple[str, str, str, int], str] = {}
        self._forgiven: dict[str, WallMs] = {}
        truth.on("report.status", self._status)
        truth.on("report.receipt", self._receipt)
        papers.listeners.append(self._changed)

    def _changed(self, box: Box, signed: Signed | None) -> None:
        if signed is not None and signed.kind in (Kind.DENIAL, Kind.ASSIGNMENT):
            self._forgive(box)

    def _forgive(self, box: Box) -> None:
        """From here on it counts anew."""
        self._forgiven[box.name] = self._truth.now
        for key in [one for one in self._marks if one[0] == box.name]:
            del self._marks[key]

    def _status(self, box: Box, record: Record) -> None:
        status = record.thing
        assert isinstance(status, Status), "what the controller took in"
        if box.spoiled:
            self._forgive(box)
        forgiven, sent = self._forgiven.get(box.name, 0), status.wall - (box.error_ms(self._truth.now) or 0)
        before = min(self._truth.now, sent) - forgiven < _SETTLED_MS
        if before or status.wall < self._walls.get(box.name, 0):
            return  # an older one that came late
        self._walls[box.name] = status.wall
        for one in status.in_force:
            if one.kind in (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG):
                self._compare(box, (box.name, one.kind, one.scope), (one.version, one.digest))

    def _compare(self, box: Box, key: tuple[str, str, str], mark: Mark) -> None:
        former, signed = self._marks.get(key), self._truth.world.offices.signed.get(mark[1])
        self._marks[key] = mark
        if signed is None or version_of(signed) != mark[0]:
            self._tell(box.name, "versions", f"{key[1]} {mark[0]} of {key[2]} is in force and nobody signed it")
        elif former is not None and (mark[0] < former[0] or (mark[0] == former[0] and mark[1] != former[1])):
            self._tell(box.name, "versions", f"{key[1]} of {key[2]} went from {former[0]} to {mark[0]}")

    def _receipt(self, box: Box, record: Record) -> None:
        receipt = record.thing
        assert isinstance(receipt, Receipt), "what the controller took in"
        signed = self._truth.world.offices.signed.get(receipt.document)
        if receipt.standing is not Standing.RECEIVED or signed is None:
            return
        document = signed.document
        if not isinstance(document, Alert | Stop | LiveSession):
            return
        for key in signed.envelope.signatures:
            name = (box.name, document.scope, key.key_id, document.sequence)
            former = self._taken.setdefault(name, receipt.document)
            if former != receipt.document and not box.spoiled:
                self._tell(box.name, "versions", f"two documents of {document.scope} with number {document.sequence}")

    def end(self) -> None:
        """See `Rule`."""
