"""The bench on which one decision is made: a state being replaced and the effects collected on the way.

It lives for one call of `step`; seen from outside the decision stays a pure function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from edge.core.change import replace
from edge.core.effects import Effect, PublishReport, StoredDocument
from edge.core.in_force import Accepted, sort_out
from edge.core.state import AgentState
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.errors import Refusal
from protocol.report import Receipt, Report, Standing

STATUS_GAP_MS: Final = 250
ANNOUNCED_MAX: Final = 128


@dataclass(slots=True)
class Turn:
    """One decision in the making.

    Attributes:
        now: with the wall time that the agent believes and its trust in it.
        dirty: something durable changed; the registers are written before any other effect.
    """

    state: AgentState
    now: Now
    effects: list[Effect] = field(default_factory=list)
    put: dict[str, StoredDocument] = field(default_factory=dict)
    drop: set[str] = field(default_factory=set)
    dirty: bool = False

    @property
    def clock_believed(self) -> bool:
        """Whether time-of-day may be used."""
        return self.now.clock > ClockTrust.NONE

    def change(self, **fields: Any) -> None:
        """Replaces fields of the state."""
        self.state = replace(self.state, **fields)

    def keep(self, key: str, envelope: bytes) -> None:
        """Stores a signed document under a key."""
        self.put[key] = StoredDocument(key, envelope)
        self.drop.discard(key)
        self.dirty = True

    def forget(self, key: str) -> None:
        """Removes a stored document."""
        self.put.pop(key, None)
        self.drop.add(key)
        self.dirty = True

    def do(self, effect: Effect) -> None:
        """Adds an effect."""
        self.effects.append(effect)

    def report(self, report: Report) -> None:
        """Adds a report."""
        self.do(PublishReport(report))

    def receipt(
        self,
        document: str,
        kind: str,
        standing: Standing,
        *,
        item: str | None = None,
        refusal: Refusal | None = None,
        detail: str | None = None,
    ) -> None:
        """Tells how far a document has come."""
        device = self.state.identity.device
        self.report(Receipt(device, document, kind, standing, self.now.wall, item, refusal, detail))

    def mono_at(self, wall: WallMs) -> MonoMs:
        """The monotonic instant of a believed wall time."""
        return MonoMs(self.now.mono + wall - self.now.wall)

    def hasten_status(self) -> None:
        """Something changed that people watch: a status follows soon; changes close together share one."""
        self.change(status_due=min(self.state.status_due, MonoMs(self.now.mono + STATUS_GAP_MS)))

    def hold(self, documents: Mapping[str, Accepted]) -> None:
        """Puts documents in force."""
        who = self.state.identity
        force = sort_out(documents, self.state.force, home=who.home, place=who.place)
        self.change(trust=replace(self.state.trust, documents=documents), force=force)

    def once(self, mark: str) -> bool:
        """True the first time, of late, that it is asked about a mark."""
        if mark in self.state.announced:
            return False
        self.change(announced=(*self.state.announced, mark)[-ANNOUNCED_MAX:])
        return True
