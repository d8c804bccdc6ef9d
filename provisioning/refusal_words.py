"""Why a device would refuse a document, in words for whoever holds the stick."""

from __future__ import annotations

from typing import Final

from protocol.errors import Refusal
from provisioning.i18n import gettext as _

_NOT_SIGNED: Final = frozenset({Refusal.UNKNOWN_KEY, Refusal.GRANT_WITHOUT_PARENT})
_DAMAGED: Final = frozenset(
    {Refusal.TOO_LARGE, Refusal.MALFORMED_ENVELOPE, Refusal.MALFORMED_DOCUMENT, Refusal.BAD_SIGNATURE}
)
_OVERREACHED: Final = frozenset(
    {Refusal.OUT_OF_SCOPE, Refusal.VERB_NOT_GRANTED, Refusal.GRANT_WIDER_THAN_PARENT, Refusal.THRESHOLD_NOT_MET}
)


def words_for(refusal: Refusal) -> str:
    """A sentence; the name of the refusal is for the log."""
    if refusal in _DAMAGED:
        return _("It is damaged, or was changed after it was signed.")
    if refusal in _NOT_SIGNED:
        return _("No authority on this stick covers whoever signed it.")
    if refusal in _OVERREACHED:
        return _("Whoever signed it may not do this, or too few have signed.")
    return _ended(refusal)


def _ended(refusal: Refusal) -> str:
    if refusal is Refusal.GRANT_DENIED:
        return _("The authority of whoever signed it was withdrawn.")
    if refusal is Refusal.GRANT_EXPIRED:
        return _("The authority of whoever signed it has ended, or has not begun.")
    if refusal is Refusal.GRANT_RENEWED:
        return _("It was signed under an authority that has been renewed since.")
    if refusal is Refusal.EXPIRED:
        return _("Its time is over.")
    if refusal is Refusal.NOT_YET_VALID:
        return _("It is dated in the future. Check the clock of this machine.")
    if refusal is Refusal.NOT_BY_STICK:
        return _("It sounds at once, which no device takes from a stick.")
    if refusal is Refusal.UNKNOWN_TYPE:
        return _("Devices do not take this kind of document from a stick.")
    return _("A device would refuse it: %(name)s.") % {"name": refusal.value}
