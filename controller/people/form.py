"""Reads what forms about accounts say, with a sentence for every mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.people.domain import HeldRole, Role, Viewer, is_login
from controller.web.explained import N_, Explained
from protocol.units import unit_path

NAME_CHARS_MAX = 80


def name_in(form: Mapping[str, Any]) -> str:
    """The field `name`."""
    name = " ".join(str(form.get("name", "")).split())
    if not 1 <= len(name) <= NAME_CHARS_MAX:
        raise Explained(N_("Please write the person's name, with at most %(most)d characters."), most=NAME_CHARS_MAX)
    return name


def login_in(form: Mapping[str, Any]) -> str:
    """The field `login`."""
    login = str(form.get("login", "")).strip().lower()
    if not is_login(login):
        raise Explained(
            N_("A login has 3 to 32 characters: small letters a to z without marks, digits, dot and hyphen.")
        )
    return login


def role_in(form: Mapping[str, Any], viewer: Viewer) -> HeldRole:
    """The fields `role` and `unit`, when the viewer may give that role there."""
    try:
        held = HeldRole(Role(str(form.get("role", ""))), unit_path(str(form.get("unit", ""))))
    except ValueError:
        raise Explained(N_("Please choose a role and a unit.")) from None
    if not viewer.may(Role.TECHNICIAN, held.scope):
        raise Explained(
            N_("You may give roles only within the units that you look after."), status=403, code="not_allowed"
        )
    return held
