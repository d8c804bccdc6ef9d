"""Keys, grants and envelopes as the key ceremony and the signer make them, for tests."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.signing.freshness import open_key
from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.grants import ANCHOR_ID, Anchor, Grant
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE, Person

OPERATING = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.STOP)
YEAR_MS = 365 * 86_400_000


def key(number: int) -> SigningKey:
    """A key that is the same in every run."""
    return SigningKey.from_seed(bytes([number]) * 32)


@dataclass
class Ceremony:
    """Anchor of `vn/92` (2 of 3), and one grant for each holder."""

    now: WallMs
    anchors: list[SigningKey] = field(default_factory=lambda: [key(1), key(2), key(3)])
    province: list[SigningKey] = field(default_factory=lambda: [key(11), key(12)])
    ke_sach: SigningKey = field(default_factory=lambda: key(21))
    tran_de: SigningKey = field(default_factory=lambda: key(22))

    def write_anchor(self, data: Path) -> None:
        """Pins the anchor in a controller's data directory."""
        publics = tuple(one.public for one in self.anchors)
        anchor = Anchor(PROVINCE, publics, 2, (open_key(data).public,))
        (data / "anchor.json").write_bytes(codec.encode(anchor))

    def grant(
        self,
        scope: UnitPath,
        holder: str,
        *keys: SigningKey,
        verbs: tuple[Verb, ...] = OPERATING,
        threshold: int = 1,
        serial: int = 1,
        days: int = 90,
        signers: int = 2,
    ) -> Envelope:
        """A grant below the anchor."""
        made = Grant(
            scope=scope,
            holder=holder,
            verbs=verbs,
            keys=tuple(one.public for one in keys),
            threshold=threshold,
            depth=0,
            not_before=WallMs(self.now - 60_000),
            expires=WallMs(self.now + days * 86_400_000),
            epoch=0,
            serial=serial,
            parent=ANCHOR_ID,
        )
        return sign(Kind.GRANT, codec.encode(made), self.anchors[:signers])

    def grants(self) -> list[Envelope]:
        """Those of the demo province."""
        commune = (*OPERATING, Verb.ALERT)
        alert = (Verb.ALERT, Verb.ALERT_WIDE)
        return [
            self.grant(PROVINCE, "province", *self.province),
            self.grant(PROVINCE, "province-alert", *self.province, verbs=alert, threshold=2),
            self.grant(KE_SACH, "ke-sach", self.ke_sach, verbs=commune),
            self.grant(TRAN_DE, "tran-de", self.tran_de, verbs=commune),
        ]


async def post(person: Person, *envelopes: Envelope, status: int = 200) -> list[dict[str, Any]]:
    """Hands envelopes in as the signer does."""
    body = {"envelopes": [one.pack().decode() for one in envelopes]}
    async with person.session.post("/api/v1/envelopes", json=body) as answer:
        assert answer.status == status, await answer.text()
        results: list[dict[str, Any]] = (await answer.json()).get("results", [])
    return results


async def request_signature(person: Person, unit: UnitPath, **fields: Any) -> dict[str, Any]:
    """Asks for the bytes to be signed."""
    path = f"/units/{unit.replace('/', '%2F')}/signing-request"
    made: dict[str, Any] = await person.call("POST", path, fields)
    return made


def signed(request: dict[str, Any], *keys: SigningKey) -> Envelope:
    """Signs exactly those bytes."""
    return sign(request["kind"], base64.b64decode(request["payload"]), keys)
