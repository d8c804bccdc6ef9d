"""What an operator puts a signature under, and how it is numbered."""

from __future__ import annotations

from protocol.assignment import Assignment
from protocol.denial import Denial
from protocol.document import Kind, OperatorDocument
from protocol.grants import Grant

Signable = OperatorDocument | Grant


def number_of(document: Signable) -> int | None:
    """Version, sequence, serial or epoch, whichever the document has."""
    for name in ("version", "sequence", "serial", "epoch"):
        number: int | None = getattr(document, name, None)
        if number is not None:
            return number
    return None


def subject_of(document: Signable) -> str | None:
    """The office that a grant or a denial is about: several of one unit are numbered apart."""
    return document.holder if isinstance(document, Grant | Denial) else None


def series_of(kind: Kind, subject: str | None) -> str:
    """Whatever acts at once shares one row of numbers in a unit, because devices look for replays in one."""
    if subject is not None:
        return f"{kind} {subject}"
    return kind.value if kind in (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG) else "sequence"


def is_organisation(document: Signable) -> bool:
    """Whether it changes who may speak or who belongs where, instead of what is heard."""
    return isinstance(document, Grant | Denial | Assignment)
