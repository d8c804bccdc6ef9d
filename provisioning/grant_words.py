"""A grant, denial or assignment in words, for whoever compares it with the paper before signing: all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protocol.assignment import Assignment, Placement
from protocol.clock import WallMs, local_datetime
from protocol.denial import Denial
from protocol.document import read
from protocol.envelope import Envelope
from protocol.grants import ANCHOR_ID, Grant
from protocol.keys import key_id
from provisioning.i18n import gettext as _
from provisioning.i18n import ngettext
from provisioning.terminal import printable
from signer.wording import verb_words


def described(envelope: Envelope, offices: Sequence[Grant]) -> tuple[str, ...]:
    """What is signed, in lines.

    Args:
        offices: those whose signatures count, see `provisioning.ceremony.offices_for`.
    """
    document = read(envelope)
    signed = (*_signed(envelope, offices),)
    if isinstance(document, Grant):
        return (*_grant(document, offices), *signed)
    if isinstance(document, Denial):
        return (*_denial(document), *signed)
    assert isinstance(document, Assignment), "nothing else has offices here"
    return (*_assignment(document), *signed)


def _signed(envelope: Envelope, offices: Sequence[Grant]) -> Iterator[str]:
    for key in sorted({key for one in offices for key in envelope.signers(one.keys)}):
        yield _("Signed already with the key with the number %(id)s.") % {"id": key_id(key)}


def _grant(grant: Grant, offices: Sequence[Grant]) -> Iterator[str]:
    yield _("Grant for: %(holder)s") % {"holder": printable(grant.holder)}
    yield _("Where: %(scope)s") % {"scope": grant.scope}
    yield _("May: %(verbs)s") % {"verbs": "; ".join(verb_words(one) for one in grant.verbs)}
    values = {"begin": day(grant.not_before), "end": day(grant.expires)}
    yield _("Valid from %(begin)s until %(end)s.") % values
    for key in grant.keys:
        yield _("For the key with the number %(id)s.") % {"id": key_id(key)}
    yield _("Signatures needed when it acts: %(need)d of %(have)d") % {
        "need": grant.threshold,
        "have": len(grant.keys),
    }
    if grant.depth:
        levels = ngettext("May be passed on %(n)d level down.", "May be passed on %(n)d levels down.", grant.depth)
        yield levels % {"n": grant.depth}
    else:
        yield _("May not be passed on.")
    yield _("Serial %(serial)d, epoch %(epoch)d.") % {"serial": grant.serial, "epoch": grant.epoch}
    if grant.parent == ANCHOR_ID:
        yield _("Given by the holders of the anchor.")
        return
    for one in offices:
        yield _("Given by: %(holder)s, %(scope)s") % {"holder": printable(one.holder), "scope": one.scope}


def _denial(denial: Denial) -> Iterator[str]:
    values = {"holder": printable(denial.holder), "scope": denial.scope, "epoch": denial.epoch}
    if denial.holder == ANCHOR_ID:
        yield _("Ends every grant of the anchor of %(scope)s with an epoch below %(epoch)d.") % values
    else:
        yield _("Ends every grant that %(holder)s (%(scope)s) gave with an epoch below %(epoch)d.") % values
    yield _("Issued on %(day)s.") % {"day": day(denial.issued)}


def _assignment(assignment: Assignment) -> Iterator[str]:
    yield _("Where loudspeakers belong, in %(scope)s:") % {"scope": assignment.scope}
    yield from (f"  {_placement(one)}" for one in assignment.placements)
    yield _("Issued on %(day)s.") % {"day": day(assignment.issued)}


def _placement(placement: Placement) -> str:
    values = {"device": placement.device, "place": placement.place, "former": placement.former}
    if placement.place is None:
        leaves = _("%(device)s: from %(former)s, out of service")
        return (leaves if placement.former is not None else _("%(device)s: out of service")) % values
    if placement.former is not None:
        return _("%(device)s: from %(former)s to %(place)s") % values
    return _("%(device)s: %(place)s") % values


def day(wall: WallMs) -> str:
    """The local date."""
    try:
        return f"{local_datetime(wall):%d/%m/%Y}"
    except (ValueError, OverflowError, OSError):
        return "?"
