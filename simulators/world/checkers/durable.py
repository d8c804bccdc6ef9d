"""Behaviour, section 6: "Nothing acknowledged is lost; nothing half-written is trusted."

What a device told as received or ready, and what ought still to be in force there, comes back from the card at every
start. Allowed to be lost: by a card that lied, rotted or was damaged, which the device then has to notice (the
world's storage faults say so in `Card`).
"""

from __future__ import annotations

from functools import partial
from typing import Final, TypeVar

from edge.core.events import Booted, MediaLost, MediaStored
from protocol.alert import Alert
from protocol.audible_config import AudibleConfig
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.live import LiveSession
from protocol.report import Receipt, Standing
from protocol.schedule import Programme, Schedule
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.holding import Accepted, Held
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.checkers.wire import envelope_of
from simulators.world.office import Signed
from simulators.world.trace import Record

_KEPT: Final = 400
_SETTLED_MS: Final = 60_000
"""What was obeyed in the last minute may have been on its way to the card."""
_FETCHED_MS: Final = 1_800_000
K = TypeVar("K")


class Durable:
    """Compares each start with what was told as kept before it."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._received: dict[str, dict[str, WallMs]] = {}
        self._rotten: dict[str, set[str]] = {}
        self._ready: dict[str, dict[tuple[str, str | None], WallMs]] = {}
        self._obeyed: dict[str, set[str]] = {}
        self._turned: dict[str, WallMs] = {}
        self._changed_at: dict[str, WallMs] = {}
        self._gone: set[tuple[str, str]] = set()
        truth.on("report.receipt", self._receipt)
        truth.on("report.status", self._status)
        papers.listeners.append(self._changed)
        truth.on(Booted, self._booted)
        truth.on(MediaLost, self._media_lost)
        truth.on(MediaStored, self._media_stored)

    def _changed(self, box: Box, signed: Signed | None) -> None:
        if signed is not None:
            self._changed_at[box.name] = self._truth.now
            if signed.kind in (Kind.ASSIGNMENT, Kind.DENIAL):
                self._turned[box.name] = self._truth.now
                self._ready.pop(box.name, None)  # what is named again afterwards is fetched anew
            self._obeyed.setdefault(box.name, set()).add(signed.envelope.digest)

    def _media_lost(self, box: Box, record: Record) -> None:
        """It rotted, was found, thrown away and told; it is fetched anew."""
        self._rotten.setdefault(box.name, set()).add(record.thing.event.digest)

    def _media_stored(self, box: Box, record: Record) -> None:
        self._rotten.get(box.name, set()).discard(record.thing.event.digest)

    def _receipt(self, box: Box, record: Record) -> None:
        receipt = record.thing
        assert isinstance(receipt, Receipt), "what the controller took in"
        if receipt.standing is Standing.RECEIVED:
            _keep(self._received.setdefault(box.name, {}), receipt.document, record.at)
            self._was_kept(box, receipt.document)
        elif receipt.standing is Standing.READY:
            _keep(self._ready.setdefault(box.name, {}), (receipt.document, receipt.item), record.at)

    def _was_kept(self, box: Box, digest: str) -> None:
        signed = self._truth.world.offices.signed.get(digest)
        kept = digest in self._obeyed.get(box.name, ()) or box.spoiled
        if signed is not None and isinstance(signed.document, Alert | LiveSession | Schedule) and not kept:
            self._tell(box.name, "durable", f"{signed.kind} {digest[:12]} was acknowledged and never kept")

    def _booted(self, box: Box, record: Record) -> None:
        event: Booted = record.thing.event
        former = self._papers.before.get(box.name)
        if former is None or box.spoiled:
            return
        if event.damaged:
            self._tell(box.name, "durable", "stored state is damaged, and the card is not")
        stored = {seen.digest for seen in map(envelope_of, event.envelopes) if seen is not None}
        for one in _in_force(former, record.at):
            digest = one.signed.envelope.digest
            if digest not in stored and digest in self._received.get(box.name, {}):
                self._tell(box.name, "durable", f"{one.signed.kind} {digest[:12]} was acknowledged and is gone")
        self._media(box, former, frozenset(event.media))
        whole = event.registers is not None and not event.damaged
        if whole and record.at - self._turned.get(box.name, 0) > _SETTLED_MS:
            self._truth.at(WallMs(record.at + 1), box, partial(self._remembers, box, former, record.at))

    def _remembers(self, box: Box, former: Held, booted: WallMs) -> None:
        """What was used up or taken back before the cut is still so: looked up in what the core knows."""
        state = box.device.state
        if state is None or box.booted != booted:
            return
        trust, long_ago = state.trust, booted - _SETTLED_MS
        known = {one.alert_id for one in trust.cancelled}
        for name, marks in former.cancelled.items():
            if name not in known and any(until > booted + _SETTLED_MS and at < long_ago for _, until, at in marks):
                self._tell(box.name, "durable", f"that {name} was cancelled is forgotten")
        for one in former.others.values():
            number = getattr(one.signed.document, "sequence", None)
            windows = [trust.sequences.get(f"{one.signed.document.scope}|{key}") for key in one.keys]
            told = one.signed.envelope.digest in self._received.get(box.name, {})
            if number is None or not told or one.at >= long_ago:
                continue
            if not all(it is not None and it.high >= number for it in windows):
                self._tell(box.name, "durable", f"that number {number} was used is forgotten")
        for (kind, scope), version in former.high.items():
            held = former.versioned.get((kind, scope))
            stored = [it for name, it in trust.versions.items() if name.startswith(f"{kind}/{scope}|")]
            if (held is None or held.at < long_ago) and max(stored, default=-1) < version:
                self._tell(box.name, "durable", f"version {version} of {kind} of {scope} is forgotten")

    def _status(self, box: Box, _: Record) -> None:
        """Section 3, "old media stays until the new is complete": what was ready stays so while it is named."""
        if box.booted is not None and not box.spoiled:
            self._media(box, self._papers.held[box.name], frozenset(box.device.card.media))

    def _media(self, box: Box, former: Held, stored: frozenset[str]) -> None:
        for one, schedule in former.schedules():
            for item in schedule.items:
                told = (one.signed.envelope.digest, item.id) in self._ready.get(box.name, {})
                content = item.content
                if not told or not isinstance(content, Programme) or content.media.digest in stored:
                    continue
                if content.media.digest in self._rotten.get(box.name, ()):
                    continue
                if (box.name, content.media.digest) not in self._gone:
                    self._gone.add((box.name, content.media.digest))
                    self._tell(box.name, "durable", f"{item.id} was ready and its sound is gone")

    def end(self) -> None:
        """See `Rule`. After hours of calm every sound that is named and to be had is there."""
        files = self._truth.world.controller.files
        for box in self._truth.boxes.values():
            wall, card = self._papers.wall(box), box.device.card
            if wall is not None and not (card.broken or box.device.hindrances.lately(self._truth.now)):
                lacks = (self._papers.held[box.name].media(wall) & set(files)) - set(card.media)
                recent = self._truth.now - self._changed_at.get(box.name, WallMs(0)) < _FETCHED_MS
                if lacks and not recent:
                    self._tell(box.name, "durable", f"{len(lacks)} sounds are named, to be had and not there")


def _keep(into: dict[K, WallMs], key: K, at: WallMs) -> None:
    into[key] = at
    while len(into) > _KEPT:
        into.pop(next(iter(into)))


def _in_force(held: Held, now: WallMs) -> list[Accepted]:
    """What ought to last over a power cut that ended now."""
    found = [one for one in held.versioned.values() if isinstance(one.signed.document, Schedule | AudibleConfig)]
    for one in (*held.alerts.values(), *held.lives.values()):
        document = one.signed.document
        assert isinstance(document, Alert | LiveSession), "sorted by type"
        cancelled = isinstance(document, Alert) and held.is_cancelled(document) is not None
        if document.expires > now + 60_000 and not cancelled:
            found.append(one)
    return found
