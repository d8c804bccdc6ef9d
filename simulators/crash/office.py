"""Signs what a device of the crash stories obeys: the same keys and the same bytes in every run."""

from __future__ import annotations

import hashlib
from typing import Final

from edge.core.state import Identity
from protocol import codec
from protocol.alert import Alert, Cancel, Part
from protocol.audible_config import AudibleConfig
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.grants import ANCHOR_ID, Anchor, Grant
from protocol.keys import SigningKey
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb

COMMUNE: Final = UnitPath("vn/92/31498")
WALL: Final = WallMs(1_800_000_000_000)
_DAY_MS: Final = 86_400_000
_ROOT: Final = SigningKey.from_seed(hashlib.sha256(b"anchor").digest())
_OPERATOR: Final = SigningKey.from_seed(hashlib.sha256(b"operator").digest())
ANCHOR: Final = Anchor(UnitPath("vn/92"), (_ROOT.public,), 1, (_ROOT.public,))
IDENTITY: Final = Identity("dev-c07", UnitPath("vn/92/31498/c07"), ANCHOR)


def grant() -> bytes:
    """The commune's operator may do what the stories need."""
    made = Grant(
        scope=COMMUNE,
        holder="commune",
        verbs=(Verb.SCHEDULE, Verb.CONFIGURE, Verb.ALERT),
        keys=(_OPERATOR.public,),
        threshold=1,
        depth=0,
        not_before=WallMs(0),
        expires=WallMs(WALL + 90 * _DAY_MS),
        epoch=0,
        serial=1,
        parent=ANCHOR_ID,
    )
    return sign(Kind.GRANT, codec.encode(made), (_ROOT,)).pack()


def schedule(version: int) -> bytes:
    """A schedule whose programme begins an hour later with each version."""
    media = MediaRef(hashlib.sha256(b"%d" % version).hexdigest(), 10_000, 60_000)
    start = WallMs(WALL + version * 3_600_000)
    item = Item("one", "Tin", BulletinClass.ORDINARY, Programme(media), Explicit((start,)), (COMMUNE,))
    return _signed(Kind.SCHEDULE, Schedule(COMMUNE, version, WALL, WallMs(WALL + 30 * _DAY_MS), (item,)))


def configuration(version: int) -> bytes:
    """An audible configuration."""
    return _signed(Kind.AUDIBLE_CONFIG, AudibleConfig(COMMUNE, version, WALL))


def alert(sequence: int) -> bytes:
    """An emergency of ten minutes."""
    made = Alert(
        scope=COMMUNE,
        id=f"alert-{sequence}",
        sequence=sequence,
        issued=WALL,
        expires=WallMs(WALL + 600_000),
        severity=3,
        targets=(COMMUNE,),
        parts=(Part("vi", "Nước lên nhanh."),),
    )
    return _signed(Kind.ALERT, made)


def cancel(sequence: int) -> bytes:
    """The cancel of an emergency."""
    expires = WallMs(WALL + 600_000)
    made = Cancel(COMMUNE, f"alert-{sequence}", issued=WALL, expires=expires, targets=(COMMUNE,))
    return _signed(Kind.CANCEL, made)


def _signed(kind: Kind, document: object) -> bytes:
    return sign(kind, codec.encode(document), (_OPERATOR,)).pack()
