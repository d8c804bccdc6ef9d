"""What authorities are called."""

from __future__ import annotations

from typing import Final

from controller.authority.domain import State
from controller.root_files.published import ANCHOR, WORD
from controller.web.i18n import N_, gettext, ngettext
from protocol.clock import DAY_MS, WallMs
from protocol.verbs import Verb

VERBS: Final[dict[Verb, str]] = {
    Verb.SCHEDULE: N_("sign the schedule"),
    Verb.CONFIGURE: N_("set the rules of the loudspeakers"),
    Verb.LIVE: N_("speak live"),
    Verb.ALERT: N_("send an emergency to one unit"),
    Verb.ALERT_WIDE: N_("send an emergency to several units"),
    Verb.STOP: N_("stop what is sounding"),
    Verb.GRANT: N_("give authority to others"),
    Verb.ASSIGN: N_("say where loudspeakers belong"),
}
STATES: Final[dict[State, str]] = {
    State.SPEAKS: N_("in force"),
    State.LATER: N_("begins later"),
    State.RENEWED: N_("replaced by a newer one"),
    State.DENIED: N_("withdrawn"),
    State.ENDED: N_("has run out"),
}
BADGES: Final = {
    State.SPEAKS: "good",
    State.LATER: "wait",
    State.RENEWED: "idle",
    State.DENIED: "bad",
    State.ENDED: "bad",
}
ROOT_ROLES: Final = {
    "root": N_("the keys of the root"),
    "targets": N_("the list of the root's files"),
    "snapshot": N_("the state of the root's files"),
    "timestamp": N_("the date of the root's files"),
    WORD: N_("the word of the root"),
    ANCHOR: N_("the anchor of the root"),
}


def verbs(found: tuple[Verb, ...]) -> str:
    """Everything that is allowed, in words."""
    return ", ".join(gettext(VERBS[one]) for one in found)


def state(one: State) -> str:
    """How it stands."""
    return gettext(STATES[one])


def left(expires: WallMs, now: WallMs) -> str:
    """How long it still lasts."""
    days = (expires - now) // DAY_MS
    if expires <= now:
        return gettext("It has run out.")
    if days == 0:
        return gettext("It runs out today or tomorrow.")
    return ngettext("It runs out in %(num)s day.", "It runs out in %(num)s days.", days) % {"num": days}


def people(count: int, of: int) -> str:
    """How many have to sign."""
    if of == 1:
        return gettext("one person, one key")
    if count == 1:
        return ngettext("one of %(num)s person", "any one of %(num)s people", of) % {"num": of}
    return gettext("%(count)s of %(of)s people together") % {"count": count, "of": of}
