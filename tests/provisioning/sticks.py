"""Documents that stories about sticks put on them."""

from __future__ import annotations

import hashlib
from typing import Any

from protocol import codec
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.grants import ANCHOR_ID
from protocol.schedule import Item, Programme, Schedule
from tests.protocol.people import COMMUNE, NOW, PROVINCE, ROOTS

SOUND = b"one minute of sound " * 2000


def media_of(sound: bytes) -> MediaRef:
    """The reference that a schedule holds."""
    return MediaRef(hashlib.sha256(sound).hexdigest(), len(sound), 60_000)


def schedule(*sounds: bytes, **changed: Any) -> bytes:
    """A schedule with a programme for each sound."""
    items = tuple(
        Item(
            id=f"item-{number}",
            title="Tin",
            bulletin_class=BulletinClass.ORDINARY,
            content=Programme(media_of(sound)),
            when=Explicit((WallMs(NOW + 3_600_000),)),
            targets=(COMMUNE,),
        )
        for number, sound in enumerate(sounds)
    )
    made: dict[str, Any] = {"scope": COMMUNE, "version": 1, "issued": NOW, "expires": WallMs(NOW + DAY_MS)}
    return codec.encode(Schedule(**made | {"items": items} | changed))


def denial(*, epoch: int) -> Envelope:
    """The anchor takes back what it gave below this epoch."""
    return sign(Kind.DENIAL, codec.encode(Denial(PROVINCE, ANCHOR_ID, epoch, NOW)), ROOTS[:2])
