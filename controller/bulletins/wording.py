"""The sentences for problems, states and refused acts. The msgid is the English sentence."""

from __future__ import annotations

from typing import Any, Final

from controller.bulletins.acts import ChangedError, MissingBulletinError, ReasonMissingError
from controller.bulletins.domain import (
    MISSED,
    Act,
    Bulletin,
    NotAllowedError,
    OwnBulletinError,
    State,
    WrongStateError,
)
from controller.bulletins.problem import Code, Problem
from controller.web.explained import N_, Explained, not_found
from controller.web.formats import clock_time, date_time
from controller.web.i18n import gettext

STATES: Final = {
    State.DRAFT: N_("Draft"),
    State.SUBMITTED: N_("Waits for approval"),
    State.APPROVED: N_("Approved, waits for signature"),
    State.IN_FORCE: N_("In force"),
    State.ENDED: N_("Has ended"),
    State.REJECTED: N_("Returned to the author"),
    State.WITHDRAWN: N_("Withdrawn"),
    State.OFFERED: N_("Offered from above"),
    State.DECLINED: N_("Declined"),
}
CLASSES: Final = {"ordinary": N_("Ordinary"), "priority": N_("Priority")}
NOT_SIGNED: Final = N_("Not signed in time")
OFFERED_ABOVE: Final = N_("Approved, offered to the communes")
FIELDS: Final = {
    "unit": N_("Unit"),
    "title": N_("Title"),
    "bulletin_class": N_("Class"),
    "content_kind": N_("Kind of content"),
    "media_digest": N_("Sound"),
    "frequency_khz": N_("Station"),
    "relay_ms": N_("Length"),
    "stream_address": N_("Address of the web radio"),
    "targets": N_("Units that hear it"),
    "catch_up": N_("After a power cut"),
    "timing": N_("Time"),
}
PROBLEMS: Final = {
    Code.TITLE_MISSING: N_("Give the bulletin a title, so that everyone knows what it is about."),
    Code.TITLE_TOO_LONG: N_("The title has %(length)d characters; at most %(most)d fit. Please shorten it."),
    Code.CONTENT_MISSING: N_("Choose what will sound: upload or pick a sound, type a text, or choose a station."),
    Code.CONTENT_UNKNOWN: N_("This sound is no longer in the library. Please choose another one."),
    Code.FREQUENCY_WRONG: N_("Choose a station: FM in Viet Nam is 54 to 68 and 87 to 108 MHz."),
    Code.DURATION_WRONG: N_("Say how long the relay lasts, at most %(most)d minutes."),
    Code.STREAM_WRONG: N_(
        "Write the whole address of the station, such as https://radio.vn/vov1: https, http, rtsp or rtp, without "
        "spaces, accents, a user name or a “#”."
    ),
    Code.CLASS_UNKNOWN: N_("Choose ordinary or priority."),
    Code.UNIT_UNKNOWN: N_("Choose the unit that speaks."),
    Code.UNIT_OUT_OF_SCOPE: N_("You may not write bulletins for this unit. Choose one of your own units."),
    Code.TARGETS_MISSING: N_("Choose at least one unit or loudspeaker that hears it."),
    Code.TARGETS_TOO_MANY: N_("You chose %(count)d places; at most %(most)d fit. Choose a whole unit instead."),
    Code.TARGET_OUT_OF_SCOPE: N_("%(unit)s does not belong to the unit that speaks. Take it out of the list."),
    Code.TIME_MISSING: N_("Say when it should sound."),
    Code.TIME_UNREADABLE: N_("“%(text)s” is not a time. Write hours and minutes, such as 17:00."),
    Code.DATE_MISSING: N_("Choose a date."),
    Code.DATE_UNREADABLE: N_("“%(text)s” is not a date. Write day/month/year, such as 23/11/2026."),
    Code.NO_SUCH_DAY: N_(
        "There is no %(day)d/%(month)d/%(year)d: that month has %(last)d days. Choose another date."
    ),
    Code.DAYS_MISSING: N_("Choose at least one day of the week."),
    Code.LAST_BEFORE_FIRST: N_("The last date is before the first date. Please change one of them."),
    Code.EXCEPTIONS_TOO_MANY: N_("At most %(most)d dates can be left out."),
    Code.NEVER: N_("With these days and dates it would never sound. Check the days, the dates and the exceptions."),
    Code.PAST: N_("%(when)s is already past. Choose a later time."),
    Code.TOO_SOON: N_(
        "%(when)s is too soon: the loudspeakers need at least %(seconds)d seconds to fetch the sound. "
        "Choose a later time, or “Now”."
    ),
    Code.TOO_FAR: N_("%(when)s is more than two years ahead. Please check the year."),
    Code.QUIET_HOURS: N_(
        "%(when)s lies in the quiet hours of %(place)s (%(begin)s to %(end)s), so its loudspeakers stay silent. "
        "Choose another time."
    ),
    Code.RUNS_INTO_QUIET_HOURS: N_(
        "It begins at %(when)s and would run into the quiet hours of %(place)s, which begin at %(begin)s. "
        "Begin earlier or choose a shorter sound."
    ),
    Code.OVERLAPS_ORDINARY: N_(
        "At that time “%(title)s” (%(when)s to %(end)s) sounds there already. Choose another time or place."
    ),
    Code.OVERLAPS: N_("At that time “%(title)s” (%(when)s to %(end)s) sounds in the same place. %(outcome)s"),
    Code.OVERLAPS_ITSELF: N_("It is longer than the time until it begins again at %(when)s. Choose fewer times."),
    Code.ITEMS_TOO_MANY: N_("The unit already has %(most)d bulletins in its schedule. Withdraw some first."),
}
OUTCOMES: Final = {
    "first": N_("This bulletin goes first; the other one follows or goes on afterwards."),
    "after": N_("The other one goes first; this bulletin follows or goes on afterwards."),
}
ACTS: Final = {
    Act.EDIT: N_("You may not edit bulletins of this unit."),
    Act.SUBMIT: N_("You may not submit bulletins of this unit."),
    Act.APPROVE: N_("You may not approve bulletins of this unit. Ask an approver of the unit or of one above."),
    Act.REJECT: N_("You may not return bulletins of this unit."),
    Act.WITHDRAW: N_("You may not withdraw bulletins of this unit."),
    Act.PLACE: N_("You may not place bulletins for this unit."),
    Act.DECLINE: N_("You may not decline bulletins for this unit."),
}
DONE: Final = {
    "bulletin.create": N_("wrote the bulletin"),
    "bulletin.edit": N_("changed the bulletin"),
    "bulletin.submit": N_("submitted the bulletin for approval"),
    "bulletin.approve": N_("approved the bulletin"),
    "bulletin.reject": N_("returned the bulletin to its author"),
    "bulletin.withdraw": N_("withdrew the bulletin"),
    "bulletin.place": N_("placed an offered bulletin"),
    "bulletin.decline": N_("declined an offered bulletin"),
}
AREA: Final = N_("Bulletins")
STANDINGS: Final = {
    "waiting": N_("not told yet"),
    "received": N_("received"),
    "ready": N_("ready to sound"),
    "sounding": N_("sounding"),
    "heard": N_("heard"),
    "unheard": N_("not heard"),
    "refused": N_("refused by the loudspeaker"),
    "cancelled": N_("cancelled"),
}


def sentence(problem: Problem) -> str:
    """What is wrong and what to do, in the reader's language."""
    values: dict[str, Any] = {name: _shown(name, value, problem) for name, value in problem.values}
    told = gettext(PROBLEMS[problem.code]) % values
    return told[:1].upper() + told[1:]  # it may begin with a weekday, which Vietnamese writes small


def _shown(name: str, value: str | int, problem: Problem) -> str | int:
    if name == "when":
        return date_time(int(value))
    if name in ("begin", "end"):
        return clock_time(int(value))
    if name == "outcome" and problem.code is Code.OVERLAPS:
        return gettext(OUTCOMES[str(value)])
    return value


def state_name(bulletin: Bulletin, *, offered: bool = False) -> str:
    """What the badge says."""
    if bulletin.state is State.ENDED and bulletin.reason == MISSED and not offered:
        return gettext(NOT_SIGNED)
    return gettext(OFFERED_ABOVE if offered and bulletin.state is State.APPROVED else STATES[bulletin.state])


def explain(error: Exception, *, bulletin: Bulletin | None = None, names: dict[int, str] | None = None) -> Explained:
    """The error as a sentence for whoever made it."""
    if isinstance(error, WrongStateError):
        return _explain_state(error, bulletin, names or {})
    if isinstance(error, NotAllowedError):
        return Explained(ACTS.get(error.act, ACTS[Act.EDIT]), status=403, code="not_allowed")
    if isinstance(error, OwnBulletinError):
        text = N_("You wrote this bulletin, so someone else must approve it. Ask another approver.")
        return Explained(text, status=403, code="own_bulletin")
    if isinstance(error, ReasonMissingError):
        text = N_("Say why it goes back, so that the author knows what to change.")
        return Explained(text, status=422, code="reason_missing")
    if isinstance(error, ChangedError):
        text = N_("Someone else has just changed this bulletin. Load the page again to see it as it is now.")
        return Explained(text, status=409, code="changed")
    if isinstance(error, MissingBulletinError):
        return not_found()
    raise error


def _explain_state(error: WrongStateError, bulletin: Bulletin | None, names: dict[int, str]) -> Explained:
    approved = bulletin is not None and bulletin.approved_by is not None and bulletin.approved is not None
    if error.act in (Act.APPROVE, Act.REJECT) and approved and bulletin is not None:
        text = N_("%(who)s already approved this bulletin (%(when)s). Nothing more is needed.")
        who = names.get(bulletin.approved_by or 0, "?")
        return Explained(text, status=409, code="already_approved", who=who, when=date_time(bulletin.approved or 0))
    text = N_("This is no longer possible: the bulletin is now “%(state)s”. Load the page again.")
    return Explained(text, status=409, code="wrong_state", state=gettext(STATES[error.state]))
