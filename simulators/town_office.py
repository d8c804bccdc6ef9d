"""The people of a town of real processes: they fill the controller's data directory, sign, and hand in."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
from sqlalchemy import insert

from controller.config import Config
from controller.devices.token import token_hash
from controller.library.storage import DigestStorage
from controller.signing.freshness import open_key
from controller.store.engine import migrate, open_engine, writing
from controller.store.schema import devices, units
from protocol import codec
from protocol.alert import Alert, Cancel, Part
from protocol.audible_config import AudibleConfig
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.grants import ANCHOR_ID, Anchor, Grant
from protocol.keys import SigningKey
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb
from provisioning.device_ca import fingerprint, read_certificate
from provisioning.device_key import CERTIFICATE
from simulators.identities import keys_of, make_identities

PROVINCE: Final = UnitPath("vn/92")
COMMUNE: Final = UnitPath("vn/92/31528")
_TEXT: Final = "Khẩn cấp. Nước đang dâng nhanh. Đề nghị bà con đưa người già và trẻ em lên nơi cao."
_VERBS: Final = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.ALERT, Verb.STOP)


def wall_now() -> WallMs:
    """The present."""
    return WallMs(time.time_ns() // 1_000_000)


def place_of(device: str) -> UnitPath:
    """Where a device of the town hangs."""
    return UnitPath(f"{COMMUNE}/{device}")


def token_of(device: str) -> str:
    """What opens for a device where there is no certificate."""
    return f"token-{device}"


class TownOffice:
    """Signs for the commune.

    Args:
        names: devices that are enrolled.
        secure: whether devices come with certificates; else with tokens.
    """

    def __init__(self, data: Path, names: Sequence[str], *, secure: bool) -> None:
        self.data, self._names, self._secure = data, names, secure
        self._root, self._operator = SigningKey.generate(), SigningKey.generate()
        self._numbers = itertools.count(1)

    async def furnish(self) -> None:
        """Makes the data directory: anchor, units, and devices that are known."""
        self.data.mkdir(parents=True)
        anchor = Anchor(PROVINCE, (self._root.public,), 1, (open_key(self.data).public,))
        (self.data / "anchor.json").write_bytes(codec.encode(anchor))
        if self._secure:
            make_identities(self.data, self._names)
        engine = open_engine(Config(data=self.data).database_url)
        await migrate(engine)
        async with writing(engine) as connection:
            places = [(PROVINCE, "Thành phố Cần Thơ"), (COMMUNE, "Xã Kế Sách")]
            named = [{"path": path, "name": name, "label": "", "valid_from": "2025-07-01"} for path, name in places]
            await connection.execute(insert(units), named)
            await connection.execute(insert(devices), [self._device(name) for name in self._names])
        await engine.dispose()

    def _device(self, name: str) -> dict[str, object]:
        row: dict[str, object] = {
            "id": name,
            "place": place_of(name),
            "name": name,
            "token_hash": "" if self._secure else token_hash(token_of(name)),
            "enrolled_ms": wall_now(),
            "online": False,
        }
        if self._secure:
            certificate = (keys_of(self.data) / name / CERTIFICATE).read_bytes()
            row |= {"certificate": fingerprint(read_certificate(certificate)), "certified_ms": wall_now()}
        return row

    # Documents.

    def sign(self, kind: Kind, document: object) -> Envelope:
        """Under the operator's key."""
        return sign(kind, codec.encode(document), [self._operator])

    def grant(self) -> Envelope:
        """The operator's authority."""
        made = Grant(
            scope=COMMUNE,
            holder="operator",
            verbs=_VERBS,
            keys=(self._operator.public,),
            threshold=1,
            depth=0,
            not_before=WallMs(wall_now() - DAY_MS),
            expires=WallMs(wall_now() + 30 * DAY_MS),
            epoch=0,
            serial=1,
            parent=ANCHOR_ID,
        )
        return sign(Kind.GRANT, codec.encode(made), [self._root])

    def rules(self) -> Envelope:
        """No quiet hours, whatever the hour is."""
        return self.sign(Kind.AUDIBLE_CONFIG, AudibleConfig(COMMUNE, next(self._numbers), wall_now()))

    def shelve(self, sound: Path, *, duration_ms: int) -> MediaRef:
        """Puts a file where the controller serves media from."""
        data = sound.read_bytes()
        media = MediaRef(hashlib.sha256(data).hexdigest(), len(data), duration_ms)
        place = DigestStorage(self.data / "media").path(media.digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return media

    def item(self, media: MediaRef, *starts: WallMs, device: str | None = None) -> Item:
        """A programme at these times; for the whole commune unless a device is named."""
        target = COMMUNE if device is None else place_of(device)
        name = f"item-{next(self._numbers)}"
        return Item(name, "Bản tin", BulletinClass.ORDINARY, Programme(media), Explicit(starts), (target,))

    def schedule(self, *items: Item) -> Envelope:
        """The next version of the commune's schedule."""
        wall = wall_now()
        return self.sign(
            Kind.SCHEDULE, Schedule(COMMUNE, next(self._numbers), wall, WallMs(wall + 60 * DAY_MS), items)
        )

    def emergency(self, *targets: UnitPath, life_ms: int = 60_000) -> tuple[Envelope, Envelope]:
        """A fresh one with its prepared cancel, as the signer delivers them."""
        issued, name = wall_now(), secrets.token_hex(16)
        expires, aimed = WallMs(issued + life_ms), targets or (COMMUNE,)
        alert = Alert(
            scope=COMMUNE,
            id=name,
            sequence=next(self._numbers),
            issued=issued,
            expires=expires,
            severity=3,
            targets=aimed,
            parts=(Part("vi", _TEXT),),
        )
        cancel = Cancel(COMMUNE, name, issued=issued, expires=expires, targets=aimed)
        return self.sign(Kind.ALERT, alert), self.sign(Kind.CANCEL, cancel)


async def hand_in(session: aiohttp.ClientSession, origin: str, *envelopes: Envelope) -> None:
    """By the door that honest signers use.

    Raises:
        RuntimeError: the controller takes one of them not.
    """
    body = {"envelopes": [one.pack().decode() for one in envelopes]}
    async with session.post(f"{origin}/api/v1/envelopes", json=body) as answer:
        results: list[dict[str, Any]] = (await answer.json()).get("results", [])
    if not results or any(one["state"] != "accepted" for one in results):
        raise RuntimeError(f"the controller refused: {results}")
