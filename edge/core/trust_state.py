"""What the agent believes and what it remembers so that nothing old comes back: grants, documents, high-waters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.core.events import Route
from edge.core.in_force import Accepted
from protocol.clock import MonoMs, WallMs
from protocol.grants import Anchor, HeldGrant
from protocol.units import UnitPath


@dataclass(frozen=True, slots=True)
class SequenceWindow:
    """The newest number and which of those shortly before it were seen, as in IPsec's anti-replay window."""

    high: int
    seen: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CancelMark:
    """A cancel that is remembered as long as its alert could arrive."""

    alert_id: str
    scope: UnitPath
    expires: WallMs


@dataclass(frozen=True, slots=True)
class Transfer:
    """A signed assignment that moved this device.

    Attributes:
        enrolled: where it was enrolled. When a technician enrols it elsewhere, that counts again.
        issued: date of the newest word about this device, also of one that left it where it was.
    """

    enrolled: UnitPath
    place: UnitPath
    issued: WallMs


@dataclass(frozen=True, slots=True)
class RootTaken:
    """What the root said last.

    Attributes:
        pinned: digest of the anchor that was pinned at enrolment: a new enrolment counts again.
        anchor: the one in force instead, or None.
        version: of the root's word.
    """

    pinned: str
    anchor: Anchor | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class TrustState:
    """Grants, documents in force, and the high-waters that keep old ones out.

    Attributes:
        versions: newest version by kind, scope and signer; serials of grants by office (`acceptance`).
        denied: lowest epoch accepted from each grantor, by `grantor_id`.
        fallen: ids of keys that lost a grant to a deny epoch: their version marks bind only while a grant names them.
        withheld_since: since when a head names something newer than what is held.
        documents: by storage key; one for each kind and scope, alerts by id.
        deferred: envelopes whose life cannot be judged before a clock is believed.
        orphans: envelopes whose signers no grant names yet; looked at again when a grant comes.
        refused: digests told as refused lately, so that a retained message is not told again and again.
        refusals: begin of the hour in which they are counted, and how many there were.
        obeyed: digests of commands obeyed lately: they come by several paths, and a second copy is no replay.
    """

    grants: Mapping[str, HeldGrant] = field(default_factory=dict)
    documents: Mapping[str, Accepted] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    sequences: Mapping[str, SequenceWindow] = field(default_factory=dict)
    cancelled: tuple[CancelMark, ...] = ()
    denied: Mapping[str, int] = field(default_factory=dict)
    deferred: tuple[tuple[bytes, Route], ...] = ()
    orphans: tuple[tuple[bytes, Route], ...] = ()
    refused: tuple[str, ...] = ()
    refusals: tuple[MonoMs, int] = (MonoMs(0), 0)
    obeyed: tuple[str, ...] = ()
    withheld_since: MonoMs | None = None
    fallen: tuple[str, ...] = ()
    transfer: Transfer | None = None
    root: RootTaken | None = None
