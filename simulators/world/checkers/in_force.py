"""Trust.md, "what a device checks, in this order", and pain 14 ("deleted schedule goes on playing while green"): what
a device tells to be in force is what it ought to obey, no more and no less.

Compared at every status with the papers; allowed to differ for a while after they changed, since a status travels.
"""

from __future__ import annotations

from typing import Final

from protocol.clock import WallMs
from protocol.document import Kind
from protocol.report import Status
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.office import Signed
from simulators.world.trace import Record

_SETTLED_MS: Final = 120_000
_KINDS: Final = (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG)


class InForce:
    """Compares sets of digests."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._changed: dict[str, WallMs] = {}
        self._told: set[tuple[str, frozenset[str]]] = set()
        truth.on("report.status", self._status)
        papers.listeners.append(self._papers_changed)

    def _papers_changed(self, box: Box, signed: Signed | None) -> None:
        if signed is not None or box.booted == self._truth.now:
            self._changed[box.name] = self._truth.now

    def _status(self, box: Box, record: Record) -> None:
        status = record.thing
        assert isinstance(status, Status), "what the controller took in"
        now = record.at
        lately = max(self._changed.get(box.name, 0), box.save_failed, box.booted or now)
        sent = status.wall - (box.error_ms(now) or 0)
        if now - lately < _SETTLED_MS or abs(now - sent) > _SETTLED_MS // 2 or box.spoiled:
            return
        held = self._papers.held[box.name]
        ought = {one.signed.envelope.digest for one in held.versioned.values()}
        told = {one.digest for one in status.in_force if one.kind in _KINDS}
        odd = frozenset(ought ^ told)
        if odd and (box.name, odd) not in self._told:
            self._told.add((box.name, odd))
            more, less = ", ".join(self._name(one) for one in told - ought), ", ".join(map(self._name, ought - told))
            self._tell(
                box.name, "in_force", f"in force and ought not: {more or '-'}; ought and is not: {less or '-'}"
            )

    def _name(self, digest: str) -> str:
        signed = self._truth.world.offices.signed.get(digest)
        if signed is None:
            return f"{digest[:12]} (signed by nobody)"
        return f"{signed.kind} {getattr(signed.document, 'version', '')} of {signed.document.scope}"

    def end(self) -> None:
        """See `Rule`."""
