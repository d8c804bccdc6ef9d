"""A province with keys that never change, its grants, and short ways to make and sign documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from protocol import codec
from protocol.alert import Alert, Cancel, Part, Stop
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.grants import ANCHOR_ID, Anchor, Grant, HeldGrant, accept_grant
from protocol.keys import SigningKey
from protocol.schedule import Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb

NOW = WallMs(1_764_000_000_000)
PROVINCE, COMMUNE, OTHER = UnitPath("vn/92"), UnitPath("vn/92/31498"), UnitPath("vn/92/31507")


def key(name: str) -> SigningKey:
    return SigningKey.from_seed(name.encode().ljust(32, b"."))


ROOTS = (key("anchor-1"), key("anchor-2"), key("anchor-3"))
P1, P2, C1, STRANGER = key("p1"), key("p2"), key("c1"), key("stranger")
FRESHNESS = key("freshness")
ANCHOR = Anchor(PROVINCE, tuple(one.public for one in ROOTS), 2, (FRESHNESS.public,))


def grant(**changed: Any) -> Grant:
    made: dict[str, Any] = {
        "scope": COMMUNE,
        "holder": "Xã Long Phú",
        "verbs": (Verb.SCHEDULE, Verb.ALERT),
        "keys": (C1.public,),
        "threshold": 1,
        "depth": 0,
        "not_before": WallMs(NOW - DAY_MS),
        "expires": WallMs(NOW + 60 * DAY_MS),
        "epoch": 0,
        "serial": 1,
        "parent": ANCHOR_ID,
    }
    return Grant(**made | changed)


def grant_envelope(made: Grant, signers: Iterable[SigningKey] = ROOTS[:2]) -> Envelope:
    return sign(Kind.GRANT, codec.encode(made), signers)


def hold(*grants: Grant, signers: Iterable[SigningKey] = ROOTS[:2]) -> dict[str, HeldGrant]:
    """Grants below the anchor, accepted."""
    signers = tuple(signers)
    accepted = [accept_grant(grant_envelope(one, signers), ANCHOR, {}) for one in grants]
    return {one.digest: one for one in accepted}


def schedule(scope: UnitPath = COMMUNE, version: int = 1) -> bytes:
    return codec.encode(Schedule(scope, version, NOW, WallMs(NOW + DAY_MS), ()))


def alert(targets: Sequence[UnitPath] = (COMMUNE,), scope: UnitPath = COMMUNE) -> bytes:
    expires = WallMs(NOW + 60_000)
    made = Alert(scope, "a-1", 1, NOW, expires, 4, tuple(targets), (Part("vi", "Nước lên."),))
    return codec.encode(made)


def cancel(targets: Sequence[UnitPath] = (COMMUNE,), scope: UnitPath = COMMUNE) -> bytes:
    return codec.encode(Cancel(scope, "a-1", NOW, WallMs(NOW + 60_000), tuple(targets)))


def stop() -> bytes:
    return codec.encode(Stop(COMMUNE, 3, NOW, WallMs(NOW + 60_000), WallMs(NOW + 3_600_000), (COMMUNE,)))
