"""What is believed, with two rules that python-tuf leaves to its users.

One parent for each role name. `ngclient` keeps a role under its name alone: a role that two others delegate is
verified against both, but what the second one vouches for takes the place of what the first one did, and is then
answered for the first one's paths as well. A name with two delegators is therefore refused.

One key counts once. `tuf.api` counts key ids, and whoever writes the ids may give one key several of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Key, Role, Root, Signed, Targets
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from protocol.clock import WallMs
from protocol.errors import DocumentError
from protocol.keys import public_key

_ED25519: Final = "ed25519"


class OneParentSet(TrustedMetadataSet):
    """Holds to both rules.

    Args:
        wall: the time by which metadata expire; the system's when None.
    """

    def __init__(self, root: bytes, *, wall: WallMs | None = None) -> None:
        self._delegator_of: dict[str, str] = {}
        self._shared: set[str] = set()
        super().__init__(root, EnvelopeType.METADATA)
        if wall is not None:
            self.reference_time = datetime.fromtimestamp(wall / 1000, UTC)

    def _add(self, role: str, signed: Signed, delegator: str) -> None:
        """Called with everything that was verified, before it counts."""
        for name, keys in _keys_of(signed):
            _check_distinct(name, keys)
        self._claim(role, delegator)
        for child in _children(signed):
            self._claim(child, role)
        if role in self._shared:
            raise _two_parents(role)
        super()._add(role, signed, delegator)

    def _claim(self, child: str, delegator: str) -> None:
        if self._delegator_of.setdefault(child, delegator) == delegator:
            return
        # A name that is never looked into does no harm, so only its use is refused.
        self._shared.add(child)
        if child in self:
            raise _two_parents(child)


def _two_parents(role: str) -> RepositoryError:
    return RepositoryError(f"the role {role[:80]!r} is delegated by two others")


def _children(signed: Signed) -> tuple[str, ...]:
    """Roles by name; the bins of a succinct delegation may be billions and are claimed when one is loaded."""
    if isinstance(signed, Targets) and signed.delegations is not None and signed.delegations.roles is not None:
        return tuple(signed.delegations.roles)
    return ()


def _keys_of(signed: Signed) -> Iterator[tuple[str, list[Key]]]:
    roles: dict[str, Role] = {}
    known: dict[str, Key] = {}
    if isinstance(signed, Root):
        roles, known = dict(signed.roles), signed.keys
    elif isinstance(signed, Targets) and signed.delegations is not None:
        known = signed.delegations.keys
        roles = dict(signed.delegations.roles or {})
        if signed.delegations.succinct_roles is not None:
            roles = {"bins": signed.delegations.succinct_roles}
    for name, role in roles.items():
        yield name, [known[one] for one in role.keyids if one in known]


def _check_distinct(name: str, keys: list[Key]) -> None:
    values = [_value(key) for key in keys]
    if len(set(values)) != len(values):
        raise RepositoryError(f"the role {name[:80]!r} lists one key twice")


def _value(key: Key) -> str:
    value = "".join(str(key.keyval.get("public", "")).split())
    if key.keytype != _ED25519:
        return value
    try:
        return public_key(value.lower())
    except DocumentError as error:
        raise RepositoryError(f"a key is not one: {error.detail}") from error
