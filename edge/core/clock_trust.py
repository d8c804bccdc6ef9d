"""How far the clock is believed: none, attested, agreed (behaviour.md, section 5). The hour is never guessed.

Two independent sources that agree within a minute make the clock `agreed`. The controller's answer to our own nonce
makes it `attested`, unless a living source of our own contradicts it. Once believed it stays so for this boot: the
monotonic clock carries it on through weeks without a network. Time below the last operator-signed time is not
believed.
"""

from __future__ import annotations

import itertools
from typing import Final

from edge.core.change import replace
from edge.core.effects import AskAttestation
from edge.core.events import AttestationReceived, ClockRead, ClockSource
from edge.core.state import ClockState, Identity
from edge.core.turn import Turn
from protocol import codec
from protocol.clock import ClockTrust, Now, WallMs
from protocol.document import Kind, kind_of
from protocol.envelope import unpack
from protocol.errors import DocumentError, Refusal
from protocol.freshness import Attestation
from protocol.grants import check_signatures
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, CLOCK_SKEW_MS_MAX, WALL_MS_MAX

AGREEMENT_MS: Final = 60_000
ATTESTATION_ROUND_TRIP_MS_MAX: Final = 10_000
ASK_AGAIN_MS: Final = 15_000
CONTRADICTION_MS: Final = 5 * 60_000
"""A chip that nobody has set for months drifts by a minute or two; to have the morning at night takes hours."""
ALIVE_SINCE_MS: Final = WallMs(1_735_689_600_000)
"""2025-01-01, before the first of these devices was built: a source that says less is a dead chip."""
_WITNESSES: Final = frozenset({ClockSource.RTC, ClockSource.CELLULAR})


def believed(clock: ClockState, now: Now) -> Now:
    """The present as the agent believes it: wall time corrected, trust judged."""
    reference, trust = _reference(clock)
    if reference is None:
        return Now(now.mono, now.wall, ClockTrust.NONE)
    wall = now.wall if abs(now.wall - now.mono - reference) <= AGREEMENT_MS else WallMs(now.mono + reference)
    if wall < clock.floor - CLOCK_SKEW_MS_MAX:
        trust = ClockTrust.NONE
    return Now(now.mono, wall, trust)


def _reference(clock: ClockState) -> tuple[int | None, ClockTrust]:
    if clock.agreed is not None:
        return clock.agreed, ClockTrust.AGREED
    if clock.attested is not None and not _contradicted(clock, clock.attested):
        return clock.attested, ClockTrust.ATTESTED
    return None, ClockTrust.NONE


def _contradicted(clock: ClockState, attested: int) -> bool:
    """Whether a living source says something quite different: then the controller may lie, and nobody is believed.

    A clock chip without its battery, or time from before this product, is no living source. NTP comes over the same
    network as the controller's word, and a radio station's time is often an hour off: they confirm, not contradict.
    """
    others = [offset for source, offset in clock.offsets.items() if source in _WITNESSES]
    return any(abs(offset - attested) > CONTRADICTION_MS for offset in others)


def read_source(turn: Turn, event: ClockRead) -> None:
    """Takes a second opinion. The controller is no independent source: it is only believed through the nonce."""
    if event.source is ClockSource.CONTROLLER or not ALIVE_SINCE_MS <= event.wall <= WALL_MS_MAX:
        return
    clock = turn.state.clock
    read = turn.now.mono if event.read is None else event.read
    offsets = {**clock.offsets, event.source: event.wall - read}
    agreed = _agreement(sorted(offsets.values()))
    turn.change(clock=replace(clock, offsets=offsets, agreed=agreed if agreed is not None else clock.agreed))


def _agreement(offsets: list[int]) -> int | None:
    for lower, higher in itertools.pairwise(offsets):
        if higher - lower <= AGREEMENT_MS:
            return (lower + higher) // 2
    return None


def take_attestation(turn: Turn, event: AttestationReceived) -> None:
    """Takes the controller's time when it answers our nonce, quickly, with a pinned key."""
    try:
        attestation = _verified(turn.state.identity, event)
    except DocumentError:
        return
    round_trip_ms = turn.now.mono - event.asked
    if round_trip_ms > ATTESTATION_ROUND_TRIP_MS_MAX or attestation.wall > WALL_MS_MAX:
        return
    offset = attestation.wall + round_trip_ms // 2 - turn.now.mono
    turn.change(clock=replace(turn.state.clock, attested=offset))


def _verified(identity: Identity, event: AttestationReceived) -> Attestation:
    envelope = unpack(event.data)
    if kind_of(envelope) is not Kind.ATTESTATION:
        raise DocumentError(Refusal.UNKNOWN_TYPE, envelope.kind)
    check_signatures(envelope, identity.anchor.freshness_keys, 1)
    attestation = codec.decode(Attestation, envelope.payload, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
    if attestation.nonce != event.nonce:
        raise DocumentError(Refusal.WRONG_NONCE, attestation.nonce)
    return attestation


def ask(turn: Turn) -> None:
    """Asks the controller for the time while the clock is not believed, at most every 15 s."""
    asked = turn.state.clock.asked
    if turn.clock_believed or (asked is not None and turn.now.mono - asked < ASK_AGAIN_MS):
        return
    turn.change(clock=replace(turn.state.clock, asked=turn.now.mono))
    turn.do(AskAttestation())


def raise_floor(turn: Turn, signed: WallMs) -> None:
    """Remembers operator-signed time, never beyond the clock we believe: else a lying clock bricks the device."""
    floor = min(signed, turn.now.wall)
    if turn.clock_believed and floor > turn.state.clock.floor:
        turn.change(clock=replace(turn.state.clock, floor=floor))
        turn.dirty = True
