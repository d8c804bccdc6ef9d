"""Reads what forms about units say, with a sentence for every mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.units.domain import check_day
from controller.web.explained import N_, Explained
from protocol.limits import TEXT_CHARS_MAX
from protocol.units import UnitPath, depth, unit_path

PEOPLE_MAX = 200_000_000


def text_in(form: Mapping[str, Any], field: str) -> str:
    """A name or a kind of place."""
    text = " ".join(str(form.get(field, "")).split())
    if not 1 <= len(text) <= TEXT_CHARS_MAX:
        raise Explained(N_("Please write a name, with at most %(most)d characters."), most=TEXT_CHARS_MAX)
    return text


def number_in(form: Mapping[str, Any], field: str) -> int | None:
    """A count of people, written with or without dots; None when it is left empty."""
    text = "".join(one for one in str(form.get(field, "")) if not one.isspace() and one not in ".,")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:12]) <= PEOPLE_MAX and len(text) <= 12):
        raise Explained(
            N_("“%(text)s” is not a number. Write digits only, such as 12500, or leave it empty."), text=text
        )
    return int(text)


def day_in(form: Mapping[str, Any], field: str = "day") -> str:
    """A date of the calendar."""
    text = str(form.get(field, ""))
    try:
        return check_day(text)
    except ValueError:
        raise Explained(N_("“%(text)s” is not a date of the calendar."), text=text[:20]) from None


def path_in(form: Mapping[str, Any], field: str) -> UnitPath:
    """A unit that was chosen."""
    try:
        return unit_path(str(form.get(field, "")))
    except ValueError:
        raise Explained(N_("Please choose a unit.")) from None


def segment_in(form: Mapping[str, Any], above: UnitPath) -> UnitPath:
    """The path of a new unit: its code below another unit."""
    code = str(form.get("code", "")).strip().lower()
    try:
        path = unit_path(f"{above}/{code}")
    except ValueError:
        raise Explained(
            N_("A code has 1 to 32 characters: small letters a to z without marks, digits and hyphen.")
        ) from None
    if depth(path) != depth(above) + 1:
        raise Explained(N_("A code has 1 to 32 characters: small letters a to z without marks, digits and hyphen."))
    return path
