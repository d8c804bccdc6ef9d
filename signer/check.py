"""What is asked of a document when it comes in, and again before it is signed: its time, its number, its rank."""

from __future__ import annotations

from typing import Final

from protocol.clock import WallMs
from protocol.denial import grantor_id
from protocol.document import Kind
from protocol.grants import Grant, HeldGrant
from protocol.limits import ALERT_LIFETIME_MS_MAX, CLOCK_SKEW_MS_MAX
from signer.errors import RequestRefusedError
from signer.i18n import gettext as _
from signer.known import Known
from signer.review import AT_ONCE, Review
from signer.signable import Signable, number_of, subject_of
from signer.signed_log import SignedLog

AT_ONCE_AGE_MS_MAX: Final = 5 * 60_000
STANDING_AGE_MS_MAX: Final = 86_400_000
CARRIED_AGE_MS_MAX: Final = 7 * 86_400_000
"""A stick takes its days."""


def check_acceptable(review: Review, *, log: SignedLog, known: Known, wall: WallMs) -> None:
    """Everything that is asked when a request comes in, and again before it is signed.

    Raises:
        RequestRefusedError: with the reason in words.
    """
    check_timely(review.kind, review.document, wall, carried=review.carried)
    check_new(review, log)
    check_not_older(review, known)


def check_timely(kind: Kind, document: Signable, wall: WallMs, *, carried: bool = False) -> None:
    """Refuses what is too old, too new or already over.

    Raises:
        RequestRefusedError: with the reason in words.
    """
    issued = getattr(document, "issued", wall)  # a grant has a life instead
    if issued > wall + CLOCK_SKEW_MS_MAX:
        raise RequestRefusedError(_("The document is dated in the future. Please check the clock of this machine."))
    if wall - issued > _age_ms_max(kind, carried):
        raise RequestRefusedError(_("The document was prepared too long ago. Please go back and prepare it again."))
    if getattr(document, "expires", wall + 1) <= wall:
        raise RequestRefusedError(_("The document has already ended. Please go back and prepare it again."))


def _age_ms_max(kind: Kind, carried: bool) -> int:
    # A cancel carries the date of its alert and must be possible for as long as that one sounds.
    if kind is Kind.CANCEL:
        return ALERT_LIFETIME_MS_MAX
    if kind in AT_ONCE:
        return AT_ONCE_AGE_MS_MAX
    return CARRIED_AGE_MS_MAX if carried else STANDING_AGE_MS_MAX


def check_new(review: Review, log: SignedLog) -> None:
    """Refuses a version or number that was used, unless for these very bytes.

    Raises:
        RequestRefusedError: with the reason in words.
    """
    number, scope, kind = number_of(review.document), review.document.scope, review.kind
    subject = subject_of(review.document)
    if number is None:
        return
    used = log.digest_of(kind, scope, number, subject)
    if used is not None and used != review.envelope.digest:
        raise RequestRefusedError(
            _("Number %(number)d was already signed for another document.") % {"number": number}
        )
    newest = log.newest(kind, scope, subject)
    versioned = hasattr(review.document, "version") or subject is not None
    if versioned and newest and newest.number is not None and number < newest.number:
        words = _("Version %(newest)d was already signed; version %(number)d is older. Please prepare it again.")
        raise RequestRefusedError(words % {"newest": newest.number, "number": number})


def check_not_older(review: Review, known: Known) -> None:
    """Refuses a grant beside which one with its number, or a later one, is in force.

    Raises:
        RequestRefusedError: with the reason in words.
    """
    if not isinstance(review.document, Grant):
        return
    grant, above = review.document, known.held(review.document.parent)
    grantor = grantor_id(above.grant.scope, above.grant.holder) if above else ""
    office = HeldGrant(review.envelope.digest, grant, grantor).office
    others = (one for one in known.grants.values() if one.office == office and one.digest != review.envelope.digest)
    if any(one.grant.serial >= grant.serial for one in others):
        words = _("A grant of %(holder)s with number %(number)d or a later one is in force. Please prepare it again.")
        raise RequestRefusedError(words % {"holder": grant.holder, "number": grant.serial})
