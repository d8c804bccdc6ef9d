"""A bulletin's life: who may do what to it in which state. Pure; the present is handed in.

The way is draft → submitted → approved → in force (an operator signed a schedule with it) → ended. An ordinary
bulletin from above is offered to the communes instead (Circular 39/2020): each places its copy or declines it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from controller.people.domain import Role, Viewer
from protocol.bulletin import BulletinClass, CatchUp, Explicit, Weekly
from protocol.clock import WallMs
from protocol.schedule import Content
from protocol.units import UnitPath, covers


class State(StrEnum):
    """Where a bulletin stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    IN_FORCE = "in_force"
    ENDED = "ended"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    OFFERED = "offered"
    DECLINED = "declined"


class Act(StrEnum):
    """What can be done to a bulletin."""

    EDIT = "edit"
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    SIGN = "sign"
    END = "end"
    PLACE = "place"
    DECLINE = "decline"


NEXT: Final[dict[tuple[State, Act], State]] = {
    (State.DRAFT, Act.EDIT): State.DRAFT,
    (State.DRAFT, Act.SUBMIT): State.SUBMITTED,
    (State.DRAFT, Act.WITHDRAW): State.WITHDRAWN,
    (State.SUBMITTED, Act.EDIT): State.DRAFT,
    (State.SUBMITTED, Act.APPROVE): State.APPROVED,
    (State.SUBMITTED, Act.REJECT): State.REJECTED,
    (State.SUBMITTED, Act.WITHDRAW): State.WITHDRAWN,
    (State.REJECTED, Act.EDIT): State.DRAFT,
    (State.REJECTED, Act.WITHDRAW): State.WITHDRAWN,
    (State.APPROVED, Act.SIGN): State.IN_FORCE,
    (State.APPROVED, Act.WITHDRAW): State.WITHDRAWN,
    (State.APPROVED, Act.END): State.ENDED,
    (State.IN_FORCE, Act.SIGN): State.IN_FORCE,
    (State.IN_FORCE, Act.WITHDRAW): State.WITHDRAWN,
    (State.IN_FORCE, Act.END): State.ENDED,
    (State.OFFERED, Act.PLACE): State.DRAFT,
    (State.OFFERED, Act.DECLINE): State.DECLINED,
    (State.OFFERED, Act.END): State.ENDED,
    (State.DECLINED, Act.PLACE): State.DRAFT,
}

WAITING_OR_SOUNDING: Final = (State.APPROVED, State.IN_FORCE)
"""States whose bulletins belong into the unit's next schedule."""

MISSED: Final = "missed"
"""Reason of a bulletin that ended because nobody signed it in time."""

ROLES: Final[dict[Act, tuple[Role, ...]]] = {
    Act.EDIT: (Role.AUTHOR,),
    Act.SUBMIT: (Role.AUTHOR,),
    Act.APPROVE: (Role.APPROVER,),
    Act.REJECT: (Role.APPROVER,),
    Act.WITHDRAW: (Role.AUTHOR, Role.APPROVER),
    Act.SIGN: (Role.OPERATOR,),
    Act.PLACE: (Role.AUTHOR,),
    Act.DECLINE: (Role.AUTHOR, Role.APPROVER),
}


class BulletinError(Exception):
    """Root of what a person may not do to a bulletin."""


class WrongStateError(BulletinError):
    """The bulletin has moved on: approved already, withdrawn, ended."""

    def __init__(self, state: State, act: Act) -> None:
        super().__init__(f"{act} is not possible in state {state}")
        self.state = state
        self.act = act


class NotAllowedError(BulletinError):
    """The person has no role for this act in this unit."""

    def __init__(self, act: Act) -> None:
        super().__init__(f"{act} is not allowed")
        self.act = act


class OwnBulletinError(BulletinError):
    """Nobody approves what they wrote."""


@dataclass(frozen=True, slots=True)
class Now:
    """As soon as it is signed; the second is fixed when the schedule is made for signing."""


Timing = Now | Explicit | Weekly


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A bulletin as stored. Content, timing and targets may be missing while it is a draft.

    Attributes:
        unit: who speaks.
        offered_from: id of the bulletin from above that this one is the commune's copy of.
    """

    id: str
    unit: UnitPath
    title: str
    bulletin_class: BulletinClass
    content: Content | None
    timing: Timing | None
    targets: tuple[UnitPath, ...]
    catch_up: CatchUp
    state: State
    revision: int
    author_id: int
    created: WallMs
    updated: WallMs
    approved_by: int | None = None
    reason: str | None = None
    offered_from: str | None = None
    submitted: WallMs | None = None
    approved: WallMs | None = None
    withdrawn: WallMs | None = None


def next_state(bulletin: Bulletin, act: Act, viewer: Viewer) -> State:
    """The state after the act.

    Raises:
        NotAllowedError, OwnBulletinError, WrongStateError: in this order, so a stranger learns nothing.
    """
    if not allowed(bulletin.unit, act, viewer):
        raise NotAllowedError(act)
    if act is Act.APPROVE and bulletin.author_id == viewer.account:
        raise OwnBulletinError
    after = NEXT.get((bulletin.state, act))
    if after is None:
        raise WrongStateError(bulletin.state, act)
    return after


def allowed(unit: UnitPath, act: Act, viewer: Viewer) -> bool:
    """Whether one of the viewer's roles allows the act in the unit."""
    return any(viewer.may(role, unit) for role in ROLES[act])


def possible_acts(bulletin: Bulletin, viewer: Viewer) -> frozenset[Act]:
    """The acts a page offers to this viewer now."""
    return frozenset(act for act in ROLES if _possible(bulletin, act, viewer))


def _possible(bulletin: Bulletin, act: Act, viewer: Viewer) -> bool:
    try:
        next_state(bulletin, act, viewer)
    except BulletinError:
        return False
    return True


def is_offered(bulletin: Bulletin, *, home: bool) -> bool:
    """Whether the bulletin goes to the communes' inboxes rather than into the unit's own schedule."""
    return bulletin.bulletin_class is BulletinClass.ORDINARY and not home


def narrowest(targets: tuple[UnitPath, ...]) -> tuple[UnitPath, ...]:
    """Targets without those that another target covers, in order of the tree."""
    unique = sorted(set(targets))
    return tuple(one for one in unique if not any(other != one and covers(other, one) for other in unique))
