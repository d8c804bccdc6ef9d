"""Grants held, renewed and taken back: whose signature counts here, now and for what is already in force.

Of an office the newest serial that has begun speaks; older ones stay as long as something was granted or signed under
them. A deny epoch silences at once: grants below it go, and with them the documents that stood on them. The version
marks of keys that fell with them no longer bind, so a thief who signed version nine billion has locked nobody out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edge.core.acceptance import accepted, put, remove, storage_key
from edge.core.change import replace
from edge.core.in_force import Accepted
from edge.core.trust_state import TrustState
from edge.core.turn import Turn
from protocol.audible_config import AudibleConfig
from protocol.authority import Authorised, Standing, check_standing
from protocol.denial import Denial
from protocol.document import Kind, OperatorDocument, required_verb
from protocol.envelope import Envelope
from protocol.errors import DocumentError, Refusal
from protocol.grants import ANCHOR_ID, Anchor, HeldGrant, accept_grant, is_superseded
from protocol.keys import key_id
from protocol.limits import GRANTS_HELD_MAX
from protocol.report import Standing as Progress
from protocol.schedule import Schedule
from protocol.units import covers

FALLEN_MAX: Final = 256


def grant_key(held: HeldGrant) -> str:
    """Where a grant is stored; several serials of one office lie side by side."""
    return f"grant/{held.digest[:32]}"


def take_grant(turn: Turn, envelope: Envelope) -> bool:
    """Holds a grant of one of our ancestors; False when it is not about us.

    Raises:
        DocumentError: it does not hold, is denied, or is older than the newest of its office that was seen.
    """
    trust = turn.state.trust
    held = accept_grant(envelope, turn.state.identity.anchor, trust.grants)
    if not turn.state.identity.listens_to(held.grant.scope):
        return False
    if held.grant.epoch < trust.denied.get(held.grantor, 0):
        raise DocumentError(Refusal.GRANT_DENIED, held.grant.holder)
    _check_serial(trust, held)
    _make_room(turn)
    hold_grant(turn, held)
    turn.change(trust=replace(turn.state.trust, refused=()))
    turn.keep(grant_key(held), envelope.pack())
    return True


def hold_grant(turn: Turn, held: HeldGrant) -> None:
    """Holds a grant whose signatures were verified, and remembers its serial."""
    trust, mark = turn.state.trust, f"{Kind.GRANT}/{held.office}"
    serial = max(held.grant.serial, trust.versions.get(mark, 0))
    grants = {**trust.grants, held.digest: held}
    turn.change(trust=replace(trust, grants=grants, versions={**trust.versions, mark: serial}))


def _check_serial(trust: TrustState, held: HeldGrant) -> None:
    """An older one is only held beside the newest: alone it would speak again."""
    newest = trust.versions.get(f"{Kind.GRANT}/{held.office}", -1)
    present = any(one.grant.serial == newest and one.office == held.office for one in trust.grants.values())
    serial = held.grant.serial
    if (serial < newest and not present) or (serial == newest and present):
        raise DocumentError(Refusal.OLDER_VERSION, f"serial {serial}, have {newest}")


def _make_room(turn: Turn) -> None:
    """Lets go of what is over and of what nothing stands on: holders come and go over the years."""
    if len(turn.state.trust.grants) < GRANTS_HELD_MAX:
        return
    drop_grants(turn, tuple(held for held in turn.state.trust.grants.values() if _is_spare(turn, held)))
    if len(turn.state.trust.grants) >= GRANTS_HELD_MAX:
        raise DocumentError(Refusal.TOO_MANY, "grants")


def _is_spare(turn: Turn, held: HeldGrant) -> bool:
    trust, wall = turn.state.trust, turn.now.wall if turn.clock_believed else None
    superseded = is_superseded(held, trust.grants, wall)
    if not superseded and (wall is None or wall < held.grant.expires):
        return False
    carries = any(one.grant.parent == held.digest for one in trust.grants.values())
    vouches = any(one.grant == held.digest for one in trust.documents.values())
    # The newest of an office keeps its older ones silent, also when it is over.
    offices = [one.office for one in trust.grants.values()]
    guards = not superseded and offices.count(held.office) > 1
    return not (carries or vouches or guards)


def drop_grants(turn: Turn, gone: tuple[HeldGrant, ...]) -> None:
    """Holds and stores these no longer; their serials stay remembered."""
    digests = {held.digest for held in gone}
    for held in gone:
        turn.forget(grant_key(held))
    grants = {name: one for name, one in turn.state.trust.grants.items() if name not in digests}
    turn.change(trust=replace(turn.state.trust, grants=grants))


# Taking back


def take_denial(turn: Turn, authorised: Authorised, envelope: Envelope) -> None:
    """Obeys a grantor that takes back what it gave.

    Raises:
        DocumentError: OLDER_VERSION.
    """
    denial = authorised.document
    assert isinstance(denial, Denial), "dispatched by type"
    former = turn.state.trust.denied.get(denial.grantor, 0)
    if denial.epoch <= former:
        raise DocumentError(Refusal.OLDER_VERSION, f"epoch {denial.epoch}, have {former}")
    put(turn, storage_key(authorised), accepted(authorised), envelope)
    deny(turn, {denial.grantor: denial.epoch})
    turn.receipt(authorised.digest, authorised.kind, Progress.RECEIVED)


def deny(turn: Turn, epochs: Mapping[str, int]) -> None:
    """Raises deny epochs, which never fall, and drops what they silence."""
    before = turn.state.trust.denied
    after = {**before, **{name: max(epoch, before.get(name, 0)) for name, epoch in epochs.items()}}
    if after == before:
        return
    turn.change(trust=replace(turn.state.trust, denied=after))
    turn.dirty = True
    drop_fallen(turn)


def drop_fallen(turn: Turn) -> None:
    """Drops grants that no longer stand, and the documents in force that stood on them."""
    trust, anchor = turn.state.trust, turn.state.identity.anchor
    # Life is judged when a document comes in; here only denials, lost parents and another anchor count.
    against = Standing(anchor, _under(anchor, trust.grants), wall=None, denied=trust.denied, past=True)
    fallen = tuple(held for held in trust.grants.values() if not _stands(held, against))
    _remember_fallen(turn, fallen)
    drop_grants(turn, fallen)
    gone = {held.digest for held in fallen}
    for key, document in tuple(trust.documents.items()):
        if document.grant in gone or (document.grant in ("", ANCHOR_ID) and not _anchored(document, anchor)):
            _drop_or_keep(turn, key, document)
    stop = turn.state.stop
    if stop is not None and stop.by in {held.grant.holder for held in fallen}:
        turn.change(stop=None)


def _drop_or_keep(turn: Turn, key: str, document: Accepted) -> None:
    """Whoever was granted anew before the denial came goes on without a break."""
    trust, wall = turn.state.trust, turn.now.wall if turn.clock_believed else None
    today = Standing(turn.state.identity.anchor, trust.grants, wall=wall, denied=trust.denied)
    again = next((held for held in trust.grants.values() if _vouches(held, document) and _stands(held, today)), None)
    if again is not None:
        kept = replace(document, grant=again.digest, holder=again.grant.holder)
        turn.hold({**turn.state.trust.documents, key: kept})
        return
    remove(turn, key)
    welcome_back(turn, document)
    turn.change(plan=None)
    turn.receipt(document.digest, document.kind, Progress.REFUSED, refusal=Refusal.GRANT_DENIED)


def _vouches(held: HeldGrant, document: Accepted) -> bool:
    """Whether another grant lets the same keys sign it."""
    if not isinstance(document.document, OperatorDocument):
        return False
    grant = held.grant
    return (
        len({key_id(key) for key in grant.keys} & set(document.keys)) >= grant.threshold
        and covers(grant.scope, document.document.scope)
        and required_verb(document.kind, document.document) in grant.verbs
    )


def welcome_back(turn: Turn, fallen: Accepted) -> None:
    """What fell, or was left behind, may come again as it was; nothing older may."""
    document = fallen.document
    if not isinstance(document, Schedule | AudibleConfig):
        return
    names = [f"{fallen.kind}/{document.scope}|{signer}" for signer in fallen.keys]
    versions = {
        name: max(0, value - 1) if name in names and value == document.version else value
        for name, value in turn.state.trust.versions.items()
    }
    turn.change(trust=replace(turn.state.trust, versions=versions))


def _under(anchor: Anchor, grants: Mapping[str, HeldGrant]) -> dict[str, HeldGrant]:
    """Without those of the anchor's own grants that the anchor, as it is now, did not sign."""
    keys = frozenset(anchor.keys)
    return {
        digest: held
        for digest, held in grants.items()
        if held.grant.parent != ANCHOR_ID
        or (len(held.signers & keys) >= anchor.threshold and covers(anchor.scope, held.grant.scope))
    }


def _stands(held: HeldGrant, against: Standing) -> bool:
    if held.digest not in against.grants:
        return False
    try:
        check_standing(held, against)
    except DocumentError:
        return False
    return True


def _anchored(document: Accepted, anchor: Anchor) -> bool:
    """Whether the anchor's keys, or for a head its freshness keys, are still those that signed."""
    head = document.kind is Kind.HEAD
    names = {key_id(key) for key in (anchor.freshness_keys if head else anchor.keys)}
    return len(names & set(document.keys)) >= (1 if head else anchor.threshold)


def _remember_fallen(turn: Turn, fallen: tuple[HeldGrant, ...]) -> None:
    trust = turn.state.trust
    names = {key_id(key) for held in fallen for key in held.grant.keys}
    kept = tuple(one for one in trust.fallen if one not in names)
    turn.change(trust=replace(trust, fallen=(*kept, *sorted(names))[-FALLEN_MAX:]))
