"""What each act is called. A capability adds its own with `name_acts`; an act without a sentence shows its code."""

from __future__ import annotations

from collections.abc import Mapping

from controller.web.i18n import N_, gettext

_SENTENCES: dict[str, str] = {
    "people.sign_in": N_("signed in"),
    "people.rename": N_("changed the own name"),
    "people.own_password": N_("changed the own password"),
    "people.create": N_("made an account"),
    "people.give_role": N_("gave a role"),
    "people.take_role": N_("took a role away"),
    "people.renew_password": N_("gave a new password"),
    "people.close": N_("closed an account"),
    "people.open": N_("opened an account again"),
    "units.change": N_("changed a unit"),
    "units.add": N_("added a unit"),
    "units.merge": N_("merged a unit into another"),
    "units.move": N_("moved a unit"),
    "units.end": N_("ended a unit"),
}
AREAS: dict[str, str] = {"people.": N_("Accounts"), "units.": N_("Units")}


def name_acts(prefix: str, area: str, sentences: Mapping[str, str]) -> None:
    """Adds an area for the filter, such as `bulletin.`, and sentences marked with `N_`."""
    AREAS[prefix] = area
    _SENTENCES.update(sentences)


def act_name(act: str) -> str:
    """`đã duyệt bản tin`."""
    return gettext(_SENTENCES[act]) if act in _SENTENCES else act
