"""Behaviour, section 5: `none` → `attested` (the controller answered our nonce) → `agreed` (two independent sources
within 60 s). "Persisted floor: time never runs below the last operator-signed time. The hour is never guessed."

The belief of a device is its own affair (`AgentState.clock`); that there is ground for it is judged here, from what
it was told. That nothing plays by an hour that is not believed is judged by `verified_source`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from edge.core.events import AttestationReceived, Booted, ClockRead, ClockSource
from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind, kind_of
from protocol.errors import DocumentError
from protocol.freshness import Attestation
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import SKEW_MS, Papers
from simulators.world.checkers.truth import AGREEMENT_MS, Box, Truth
from simulators.world.checkers.wire import envelope_of, holds
from simulators.world.office import Signed
from simulators.world.trace import Record

ROUND_TRIP_MS_MAX: Final = 10_000
_ROUNDING_MS: Final = 50


class Clock:
    """Looks whenever a device's belief is another one."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._sources: dict[str, dict[ClockSource, int]] = {}
        self._agreed: dict[str, list[tuple[int, int]]] = {}
        self._attested: dict[str, list[tuple[int, int]]] = {}
        self._judged: dict[str, tuple[int | None, int | None]] = {}
        self._floor: dict[str, WallMs] = {}
        truth.on(Booted, self._booted)
        truth.on(ClockRead, self._read)
        truth.on(AttestationReceived, self._answer)
        papers.listeners.append(self._obeyed)

    def _booted(self, box: Box, _: Record) -> None:
        for known in (self._sources, self._agreed, self._attested, self._judged):
            known.pop(box.name, None)
        if box.spoiled:
            self._floor.pop(box.name, None)

    def _read(self, box: Box, record: Record) -> None:
        event, now = record.thing.event, record.thing.now
        offset = event.wall - (now.mono if event.read is None else event.read)
        others = self._sources.setdefault(box.name, {})
        others[event.source] = offset
        known = sorted(one for source, one in others.items() if source is not ClockSource.CONTROLLER)
        pairs = [pair for pair in pairwise(known) if pair[1] - pair[0] <= AGREEMENT_MS]
        if pairs:
            self._agreed[box.name] = pairs
        self._judge(box)

    def _answer(self, box: Box, record: Record) -> None:
        event, now = record.thing.event, record.thing.now
        seen = envelope_of(event.data)
        keys = self._papers.held[box.name].standing.anchor.freshness_keys
        if seen is not None and _kind(seen.envelope) is Kind.ATTESTATION and holds(seen, keys):
            word = codec.decode(Attestation, seen.envelope.payload, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
            if word.nonce == event.nonce and now.mono - event.asked <= ROUND_TRIP_MS_MAX:
                # The truth lies somewhere between asking and answering.
                self._attested[box.name] = [(word.wall - now.mono, word.wall - event.asked)]
        self._judge(box)

    def _judge(self, box: Box) -> None:
        state = box.device.state
        if state is None or self._judged.get(box.name) == (state.clock.agreed, state.clock.attested):
            return
        self._judged[box.name] = state.clock.agreed, state.clock.attested
        for word, claimed, known in (
            ("agreed", state.clock.agreed, self._agreed.get(box.name, [])),
            ("attested", state.clock.attested, self._attested.get(box.name, [])),
        ):
            if claimed is None:
                continue
            if not any(low - _ROUNDING_MS <= claimed <= high + _ROUNDING_MS for low, high in known):
                self._tell(box.name, "clock", f"the hour is {word} without ground: {claimed}, not within {known}")
        self._above_floor(box)

    def _obeyed(self, box: Box, signed: Signed | None) -> None:
        """An operator's date lifts the floor, never beyond the hour that is believed."""
        issued: WallMs | None = getattr(signed.document, "issued", None) if signed is not None else None
        wall = self._papers.wall(box)
        if issued is not None and wall is not None:
            self._floor[box.name] = WallMs(max(self._floor.get(box.name, 0), min(issued, wall)))

    def _above_floor(self, box: Box) -> None:
        wall, floor = self._papers.wall(box), self._floor.get(box.name, WallMs(0))
        if wall is not None and wall < floor - SKEW_MS - _ROUNDING_MS:
            self._tell(box.name, "clock", f"believes an hour {floor - wall} ms below the last signed one")

    def end(self) -> None:
        """See `Rule`."""


def _kind(envelope: object) -> Kind | None:
    try:
        return kind_of(envelope)  # type: ignore[arg-type]
    except DocumentError:
        return None
