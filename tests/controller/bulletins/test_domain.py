"""Who may do what to a bulletin in which state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.bulletins.domain import (
    NEXT,
    ROLES,
    Act,
    Bulletin,
    NotAllowedError,
    OwnBulletinError,
    State,
    WrongStateError,
    is_offered,
    narrowest,
    next_state,
    possible_acts,
)
from controller.people.domain import HeldRole, Role, Viewer
from protocol.bulletin import BulletinClass, CatchUp
from protocol.clock import WallMs
from protocol.units import UnitPath

COMMUNE, PROVINCE = UnitPath("vn/92/31498"), UnitPath("vn/92")


def person(account: int, **roles: str) -> Viewer:
    held = tuple(HeldRole(Role(role), UnitPath(scope)) for role, scope in roles.items())
    return Viewer(account, "login", "Name", "vi", held)


AUTHOR = person(1, author=COMMUNE)
APPROVER = person(2, approver=PROVINCE)
EVERYTHING = person(1, author=PROVINCE, approver=PROVINCE, operator=PROVINCE)
STRANGER = person(3, author="vn/92/31500", approver="vn/9")
DRAFT = Bulletin(
    "b1",
    COMMUNE,
    "Tin",
    BulletinClass.ORDINARY,
    None,
    None,
    (COMMUNE,),
    CatchUp.RESUME,
    State.DRAFT,
    1,
    AUTHOR.account,
    WallMs(0),
    WallMs(0),
)


def in_state(state: State) -> Bulletin:
    return replace(DRAFT, state=state)


def test_the_common_way() -> None:
    bulletin = DRAFT
    for act, who in ((Act.SUBMIT, AUTHOR), (Act.APPROVE, APPROVER)):
        bulletin = replace(bulletin, state=next_state(bulletin, act, who))
    assert bulletin.state is State.APPROVED


def test_nobody_approves_their_own() -> None:
    with pytest.raises(OwnBulletinError):
        next_state(in_state(State.SUBMITTED), Act.APPROVE, EVERYTHING)


def test_own_bulletin_may_be_rejected() -> None:
    assert next_state(in_state(State.SUBMITTED), Act.REJECT, EVERYTHING) is State.REJECTED


def test_approver_of_another_unit_may_not() -> None:
    with pytest.raises(NotAllowedError):
        next_state(in_state(State.SUBMITTED), Act.APPROVE, STRANGER)


def test_stranger_is_not_told_the_state() -> None:
    with pytest.raises(NotAllowedError):
        next_state(in_state(State.ENDED), Act.APPROVE, STRANGER)


def test_second_approval_is_told_the_state() -> None:
    with pytest.raises(WrongStateError) as caught:
        next_state(in_state(State.APPROVED), Act.APPROVE, APPROVER)
    assert caught.value.state is State.APPROVED


def test_nothing_leaves_the_last_states() -> None:
    for state in (State.ENDED, State.WITHDRAWN):
        assert not [key for key in NEXT if key[0] is state]


def test_what_is_approved_is_not_edited() -> None:
    for state in (State.APPROVED, State.IN_FORCE, State.ENDED):
        assert Act.EDIT not in possible_acts(in_state(state), EVERYTHING)


def test_acts_offered_are_acts_allowed() -> None:
    for state in State:
        for act in possible_acts(in_state(state), EVERYTHING):
            assert (state, act) in NEXT
            assert act in ROLES


def test_ordinary_from_above_is_offered() -> None:
    assert is_offered(DRAFT, home=False)
    assert not is_offered(DRAFT, home=True)
    assert not is_offered(replace(DRAFT, bulletin_class=BulletinClass.PRIORITY), home=False)


def test_targets_under_other_targets_are_dropped() -> None:
    cluster, like = UnitPath("vn/92/31498/c07"), UnitPath("vn/92/314989")
    assert narrowest((cluster, like, COMMUNE, COMMUNE)) == (COMMUNE, like)
