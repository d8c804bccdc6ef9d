"""The form for a new authority: what was typed, as an office; every mistake with a sentence."""

from __future__ import annotations

from typing import Any

from multidict import MultiMapping

from controller.authority.requests import NewOffice
from controller.web.explained import N_, Explained
from protocol.clock import DAY_MS, WallMs
from protocol.grants import Grant
from protocol.limits import TEXT_CHARS_MAX
from protocol.units import unit_path
from protocol.verbs import Verb


def usual_form(above: Grant, now: WallMs) -> dict[str, Any]:
    """What the form shows at first: an operator with everything but the giving on."""
    passing_on = (Verb.GRANT, Verb.ASSIGN, Verb.ALERT_WIDE)
    return {
        "holder": "",
        "scope": above.scope,
        "verbs": [verb for verb in above.verbs if verb not in passing_on],
        "keys": "",
        "threshold": 1,
        "depth": 0,
        "days": max(1, min(90, (above.expires - now) // DAY_MS)),
    }


def read_office(form: MultiMapping[Any]) -> NewOffice:
    """The office that is asked for.

    Raises:
        Explained: something is missing or cannot be read.
    """
    holder = " ".join(str(form.get("holder", "")).split())
    if not 0 < len(holder) <= TEXT_CHARS_MAX:
        raise _wrong(N_("Write who gets the authority: the station's or the person's name, at most 200 characters."))
    try:
        scope = unit_path(str(form.get("scope", "")))
        verbs = tuple(verb for verb in Verb if verb.value in form.getall("verb", []))
    except ValueError:
        raise _wrong(N_("Choose the unit from the list.")) from None
    keys = tuple(str(form.get("keys", "")).lower().split())
    numbers = {name: _number(form, name) for name in ("threshold", "depth", "days")}
    return NewOffice(holder, scope, verbs, keys, **numbers)


def _number(form: MultiMapping[Any], name: str) -> int:
    text = str(form.get(name, "")).strip()
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise _wrong(N_("Write whole numbers for people, steps and days."))
    return int(text)


def _wrong(text: str) -> Explained:
    return Explained(text, status=422, code="wrong_value")
