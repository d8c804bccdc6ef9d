"""A province with a fleet: the controller's data directory filled before its start, and whoever signs for it."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import insert

from controller.config import Config
from controller.devices.token import token_hash
from controller.people.first_account import make_first
from controller.signing.freshness import open_key
from controller.store.engine import open_engine, writing
from controller.store.schema import devices
from controller.units.fill import province_units
from protocol import codec
from protocol.alert import Alert, Cancel, Part
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.grants import ANCHOR_ID, Anchor, Grant
from protocol.keys import SigningKey
from protocol.schedule import Item, Programme, Schedule
from protocol.verbs import Verb
from simulators.fleet.names import PROVINCE, PROVINCE_CODE, resident

LOGIN: Final = "ky-thuat"
ALERT_LIFE_MS: Final = 20_000
_TEXT: Final = "Khẩn cấp. Nước đang dâng nhanh. Đề nghị bà con đưa người già và trẻ em lên nơi cao."
_MEDIA_BYTES: Final = 24_000
_LATER_MS: Final = 6 * 3_600_000
_ROWS: Final = 500


def wall_now() -> WallMs:
    """The present."""
    return WallMs(time.time_ns() // 1_000_000)


class Town:
    """Signs what the province's operator signs.

    Attributes:
        anchor, communes: files for those who run agents.
        operator_key: with which the emergencies are verified.
        password: of the technician `LOGIN`, once it is furnished.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self.anchor, self.communes = data / "anchor.json", data / "communes.json"
        self.password = ""
        self._root, self._operator = SigningKey.generate(), SigningKey.generate()
        self.operator_key = self._operator.public
        self._sequence = self._version = 0

    async def furnish(self, count: int) -> None:
        """Makes the data directory: anchor, all communes of the province, and the devices, enrolled."""
        self.data.mkdir(parents=True)
        self.password = await make_first(self.data, province=PROVINCE_CODE, login=LOGIN, name="Lê Quốc Việt")
        paths = [unit.path for unit in province_units(PROVINCE_CODE) if unit.path != PROVINCE]
        self.communes.write_text(json.dumps(paths))
        self.anchor.write_bytes(
            codec.encode(Anchor(PROVINCE, (self._root.public,), 1, (open_key(self.data).public,)))
        )
        engine = open_engine(Config(data=self.data).database_url)
        rows = [_row(number, paths) for number in range(count)]
        async with writing(engine) as connection:
            for begin in range(0, count, _ROWS):
                await connection.execute(insert(devices), rows[begin : begin + _ROWS])
        await engine.dispose()

    def grants(self) -> tuple[Envelope, ...]:
        """The operator's authority."""
        wall = wall_now()
        grant = Grant(
            scope=PROVINCE,
            holder="province",
            verbs=(Verb.ALERT, Verb.SCHEDULE),
            keys=(self._operator.public,),
            threshold=1,
            depth=0,
            not_before=WallMs(wall - DAY_MS),
            expires=WallMs(wall + DAY_MS),
            epoch=0,
            serial=1,
            parent=ANCHOR_ID,
        )
        return (sign(Kind.GRANT, codec.encode(grant), [self._root]),)

    def emergency(self) -> tuple[Envelope, Envelope]:
        """A fresh one for everybody with its prepared cancel, as the signer delivers them."""
        self._sequence += 1
        issued, name = wall_now(), secrets.token_hex(16)
        expires = WallMs(issued + ALERT_LIFE_MS)
        alert = Alert(
            scope=PROVINCE,
            id=name,
            sequence=self._sequence,
            issued=issued,
            expires=expires,
            severity=3,
            targets=(PROVINCE,),
            parts=(Part("vi", _TEXT),),
        )
        cancel = Cancel(PROVINCE, name, issued=issued, expires=expires, targets=(PROVINCE,))
        keys = [self._operator]
        return sign(Kind.ALERT, codec.encode(alert), keys), sign(Kind.CANCEL, codec.encode(cancel), keys)

    def schedule(self) -> Envelope:
        """The next version for everybody: one priority programme some hours from now, newly put into the library."""
        self._version += 1
        wall = wall_now()
        when, programme = Explicit((WallMs(wall + _LATER_MS),)), Programme(self._put_media())
        item = Item("one", "Một chương trình", BulletinClass.PRIORITY, programme, when, (PROVINCE,))
        made = Schedule(PROVINCE, self._version, wall, WallMs(wall + DAY_MS), (item,))
        return sign(Kind.SCHEDULE, codec.encode(made), [self._operator])

    def _put_media(self) -> MediaRef:
        """Bytes that no decoder ever sees, where the controller keeps what it has taken in."""
        data = secrets.token_bytes(_MEDIA_BYTES)
        digest = hashlib.sha256(data).hexdigest()
        path = self.data / "media" / digest[:2] / f"{digest}.opus"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return MediaRef(digest, len(data), 60_000)


def _row(number: int, communes: Sequence[str]) -> dict[str, object]:
    one = resident(number, communes)
    return {
        "id": one.device,
        "place": one.place,
        "name": one.device,
        "token_hash": token_hash(one.token),
        "enrolled_ms": wall_now(),
        "online": False,
    }
