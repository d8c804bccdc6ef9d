"""Metadata of the root in words: what a holder signs, and how long it is believed."""

from __future__ import annotations

from typing import Any, Final

from tuf.api.metadata import Metadata, Root, Targets

from protocol.clock import DAY_MS, LOCAL_ZONE, WallMs
from protocol.keys import key_id
from provisioning.i18n import gettext as _
from provisioning.root_keys import ROLES
from provisioning.terminal import printable

WARN_DAYS: Final = (30, 14, 3)


def ends_on(made: Metadata[Any]) -> str:
    """The local date on which it ends."""
    return f"{made.signed.expires.astimezone(LOCAL_ZONE):%d.%m.%Y}"


def days_left(made: Metadata[Any], wall: WallMs) -> int:
    """Whole days until a role ends; negative when it has."""
    return int((made.signed.expires.timestamp() * 1000 - wall) // DAY_MS)


def warning(days: int) -> str:
    """What to say of a role that has so many days left."""
    if days < 0:
        return _("This has ended. Renew it now.")
    near = [limit for limit in WARN_DAYS if days < limit]
    if not near:
        return ""
    return _("Less than %(days)s days: call its holders together.") % {"days": min(near)}


def described(made: Metadata[Any]) -> list[str]:
    """What a holder signs, in lines."""
    signed = made.signed
    words = _("%(role)s, version %(version)s, believed until %(until)s")
    lines = [words % {"role": signed.type, "version": signed.version, "until": ends_on(made)}]
    if isinstance(signed, Root):
        for role in ROLES:
            held = signed.roles[role]
            words = _("  %(role)s: %(threshold)s of these keys must sign")
            lines.append(words % {"role": role, "threshold": held.threshold})
            lines += [f"    {key_id(str(signed.keys[one].keyval['public']))}" for one in held.keyids]
    if isinstance(signed, Targets):
        for path, one in sorted(signed.targets.items()):
            custom = " ".join(printable(str(value)) for value in (one.custom or {}).values())
            words = _("  %(path)s %(custom)s: %(bytes)s bytes, SHA-256 %(digest)s")
            values = {"path": printable(path), "custom": custom, "bytes": one.length, "digest": one.hashes["sha256"]}
            lines.append(words % values)
    return lines
