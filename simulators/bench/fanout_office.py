"""The office of the figure `alert-fanout`: a controller's data directory with anchor and devices, and an operator."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Final

from sqlalchemy import insert

from controller.config import Config
from controller.devices.token import token_hash
from controller.signing.freshness import open_key
from controller.store.engine import migrate, open_engine, writing
from controller.store.schema import devices, units
from protocol import codec
from protocol.alert import Alert, Cancel, Part
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.grants import ANCHOR_ID, Anchor, Grant
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb

PROVINCE: Final = UnitPath("vn/92")
UNIT: Final = UnitPath("vn/92/31528")
LIFE_MS: Final = 5_000
_DAY_MS: Final = 86_400_000
_TEXT: Final = "Khẩn cấp. Nước đang dâng nhanh. Đề nghị bà con đưa người già và trẻ em lên nơi cao."


class Office:
    """Signs what a commune's operator signs."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._root, self._operator = SigningKey.generate(), SigningKey.generate()
        self._sequence = 0

    async def furnish(self, names: list[str]) -> None:
        """Makes the data directory: anchor, units, and the devices, enrolled with `token-<id>`."""
        self.data.mkdir(parents=True)
        anchor = Anchor(PROVINCE, (self._root.public,), 1, (open_key(self.data).public,))
        (self.data / "anchor.json").write_bytes(codec.encode(anchor))
        engine = open_engine(Config(data=self.data).database_url)
        await migrate(engine)
        async with writing(engine) as connection:
            places = [(PROVINCE, "Thành phố Cần Thơ"), (UNIT, "Xã Kế Sách")]
            named = [{"path": path, "name": name, "label": "", "valid_from": "2025-07-01"} for path, name in places]
            await connection.execute(insert(units), named)
            await connection.execute(insert(devices), [self._device(name) for name in names])
        await engine.dispose()

    def _device(self, name: str) -> dict[str, object]:
        return {
            "id": name,
            "place": f"{UNIT}/{name}",
            "name": name,
            "token_hash": token_hash(f"token-{name}"),
            "enrolled_ms": _now(),
            "online": False,
        }

    def grants(self) -> tuple[Envelope, ...]:
        """The operator's authority."""
        grant = Grant(
            scope=UNIT,
            holder="bench",
            verbs=(Verb.ALERT,),
            keys=(self._operator.public,),
            threshold=1,
            depth=0,
            not_before=WallMs(_now() - _DAY_MS),
            expires=WallMs(_now() + _DAY_MS),
            epoch=0,
            serial=1,
            parent=ANCHOR_ID,
        )
        return (sign(Kind.GRANT, codec.encode(grant), [self._root]),)

    def emergency(self) -> tuple[Envelope, Envelope]:
        """A fresh one with its prepared cancel, as the signer delivers them."""
        self._sequence += 1
        issued, name = _now(), secrets.token_hex(16)
        expires = WallMs(issued + LIFE_MS)
        alert = Alert(
            scope=UNIT,
            id=name,
            sequence=self._sequence,
            issued=issued,
            expires=expires,
            severity=3,
            targets=(UNIT,),
            parts=(Part("vi", _TEXT),),
        )
        cancel = Cancel(UNIT, name, issued=issued, expires=expires, targets=(UNIT,))
        keys = [self._operator]
        return sign(Kind.ALERT, codec.encode(alert), keys), sign(Kind.CANCEL, codec.encode(cancel), keys)


def _now() -> WallMs:
    return WallMs(time.time_ns() // 1_000_000)
