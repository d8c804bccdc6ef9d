"""The small state that must survive a power cut: high-waters, marks and how far occurrences have come.

Signed documents are stored beside it, as they came; what can be derived from them is not stored twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from edge.core.at_hand import StopMark
from edge.core.change import replace
from edge.core.root import restore_identity
from edge.core.state import AgentState, Identity, LiveState, Progress
from edge.core.trust_state import CancelMark, RootTaken, SequenceWindow, Transfer, TrustState
from protocol import codec
from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.limits import SEQUENCE_WINDOW

SCHEMA: Final = 1
REGISTERS_BYTES_MAX: Final = 4 * 1024 * 1024
REGISTERS_VALUES_MAX: Final = 1_000_000
_MANY: Final = 20_000


@dataclass(frozen=True, slots=True)
class Number:
    """A named number."""

    name: str = field(metadata=bounded(chars_max=500))
    value: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A replay window."""

    name: str
    high: int
    seen: tuple[int, ...] = field(metadata=bounded(count_max=SEQUENCE_WINDOW))


@dataclass(frozen=True, slots=True)
class ProgressMark:
    """An occurrence's progress."""

    key: str = field(metadata=bounded(chars_max=500))
    progress: Progress


@dataclass(frozen=True, slots=True)
class Registers:
    """The stored form; `schema` is checked before anything else is believed."""

    schema: int = field(metadata=bounded(low=SCHEMA, high=SCHEMA))
    floor: WallMs
    versions: tuple[Number, ...] = field(metadata=bounded(count_max=_MANY))
    denied: tuple[Number, ...] = field(metadata=bounded(count_max=_MANY))
    sequences: tuple[Sequence, ...] = field(metadata=bounded(count_max=_MANY))
    cancelled: tuple[CancelMark, ...]
    progress: tuple[ProgressMark, ...] = field(metadata=bounded(count_max=_MANY))
    stop: StopMark | None = None
    obeyed: tuple[str, ...] = ()
    fallen: tuple[str, ...] = ()
    transfer: Transfer | None = None
    root: RootTaken | None = None
    lives: tuple[Number, ...] = ()
    guard_version: int = 0


def pack(state: AgentState) -> bytes:
    """The registers of a state."""
    trust = state.trust
    return codec.encode(
        Registers(
            schema=SCHEMA,
            floor=state.clock.floor,
            versions=tuple(Number(name, value) for name, value in trust.versions.items()),
            denied=tuple(Number(scope, epoch) for scope, epoch in trust.denied.items()),
            sequences=tuple(Sequence(name, one.high, one.seen) for name, one in trust.sequences.items()),
            cancelled=trust.cancelled,
            progress=tuple(ProgressMark(key, one) for key, one in state.progress.items()),
            stop=state.stop,
            obeyed=trust.obeyed,
            fallen=trust.fallen,
            transfer=trust.transfer,
            root=trust.root,
            lives=tuple(Number(name, one.reserved) for name, one in state.lives.items() if one.reserved >= 0),
            guard_version=state.guard.version,
        )
    )


def unpack(state: AgentState, data: bytes) -> AgentState:
    """The state with stored registers put in.

    Raises:
        DocumentError: damaged, or of another schema.
    """
    stored = codec.decode(Registers, data, bytes_max=REGISTERS_BYTES_MAX, values_max=REGISTERS_VALUES_MAX)
    trust = replace(
        state.trust,
        versions={one.name: one.value for one in stored.versions},
        denied={one.name: one.value for one in stored.denied},
        sequences={one.name: SequenceWindow(one.high, one.seen) for one in stored.sequences},
        cancelled=stored.cancelled,
        obeyed=stored.obeyed,
        fallen=stored.fallen,
        transfer=_still(stored.transfer, state.identity),
        root=stored.root,
    )
    return replace(
        state,
        identity=_identity(state.identity, trust),
        lives={one.name: LiveState(counter=one.value, reserved=one.value) for one in stored.lives},
        clock=replace(state.clock, floor=stored.floor),
        trust=trust,
        progress={one.key: one.progress for one in stored.progress},
        stop=stored.stop,
        guard=replace(state.guard, version=stored.guard_version),
    )


def _still(transfer: Transfer | None, enrolled: Identity) -> Transfer | None:
    """A device that was enrolled elsewhere since belongs there."""
    return transfer if transfer is not None and transfer.enrolled == enrolled.place else None


def _identity(enrolled: Identity, trust: TrustState) -> Identity:
    identity = restore_identity(enrolled, root=trust.root)
    return identity if trust.transfer is None else replace(identity, place=trust.transfer.place)
