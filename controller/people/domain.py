"""Who may do what, where: roles held within units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from controller.units.domain import plain
from protocol.units import UnitPath, covers


class Role(StrEnum):
    """What a person does with the system. A role is held within a unit and everything below it."""

    AUTHOR = "author"
    APPROVER = "approver"
    OPERATOR = "operator"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class HeldRole:
    """One role within one unit."""

    role: Role
    scope: UnitPath


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever is asking, with everything that limits what they see and do."""

    account: int
    login: str
    name: str
    language: str
    roles: tuple[HeldRole, ...]

    def may(self, role: Role | str, place: UnitPath) -> bool:
        """Whether they hold the role at the place or above it."""
        return any(held.role == role and covers(held.scope, place) for held in self.roles)

    def scopes(self, role: Role | str | None = None) -> tuple[UnitPath, ...]:
        """Widest units in which they hold the role, or any role: what queries are limited to."""
        held = {one.scope for one in self.roles if role is None or one.role == role}
        return tuple(sorted(one for one in held if not any(covers(other, one) for other in held - {one})))

    def sees(self, place: UnitPath) -> bool:
        """Whether the place lies in one of their scopes: upper levels see everything of the levels below."""
        return any(covers(held.scope, place) for held in self.roles)

    def holds(self, role: Role | str) -> bool:
        """Whether they hold the role anywhere."""
        return any(held.role == role for held in self.roles)

    @property
    def home(self) -> UnitPath | None:
        """The unit a new thing is made for unless they choose another."""
        widest = self.scopes()
        return widest[0] if widest else None


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account as it is stored."""

    id: int
    login: str
    name: str
    password_hash: str
    language: str
    active: bool
    roles: tuple[HeldRole, ...]

    @property
    def given_name_first(self) -> tuple[str, str]:
        """Sorts as Vietnamese lists do: by the last word of the name, which is the given name."""
        return plain(self.name.rpartition(" ")[2]), plain(self.name)

    @property
    def viewer(self) -> Viewer:
        """The account as whoever asks."""
        return Viewer(self.id, self.login, self.name, self.language, self.roles)


_LOGIN = re.compile(r"[a-z0-9][a-z0-9.-]{2,31}")


def is_login(text: str) -> bool:
    """Whether the text can be a login: 3 to 32 of a-z, 0-9, dot and hyphen."""
    return _LOGIN.fullmatch(text) is not None


def may_manage(viewer: Viewer, account: Account) -> bool:
    """Whether a technician may change the account: another person's, with all its roles within their units."""
    own = account.id == viewer.account
    return not own and all(viewer.may(Role.TECHNICIAN, held.scope) for held in account.roles)


def may_see(viewer: Viewer, account: Account) -> bool:
    """Whether the account is one's own or holds a role within one's units."""
    return account.id == viewer.account or any(viewer.sees(held.scope) for held in account.roles)
