"""Words of the organisation: grants, denials and assignments, signed by the anchor's holders or by whom you want."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from protocol import codec
from protocol.assignment import Assignment, Placement
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.grants import ANCHOR_ID, Grant
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from provisioning.demo import Ceremony
from signer.key_store import read_sealed, unseal
from tests.signer import documents

LOUDSPEAKERS = {"31498": 9, "31507": 8, "31528": 7}


def anchor_keys(ceremony: Ceremony) -> list[SigningKey]:
    """Those of the demo's anchor that are at the table."""
    stored = json.loads((ceremony.data / "signer" / "demo.json").read_bytes())["anchor_keys"]
    vault = ceremony.data / "ceremony" / "keys"
    return [unseal(read_sealed(vault / f"{one['name']}.json"), one["passphrase"]) for one in stored[:2]]


def first_words(numbers: Mapping[str, int] = LOUDSPEAKERS, *, issued: int = documents.NOW - DAY_MS) -> Assignment:
    """Where the loudspeakers of the demo stand."""
    placements = tuple(
        Placement(f"loa-{commune}-{at:02}", UnitPath(f"vn/92/{commune}/c{at:02}"))
        for commune, count in numbers.items()
        for at in range(1, count + 1)
    )
    return Assignment(documents.PROVINCE, WallMs(issued), placements)


def moved(*devices: str, to: str | None, issued: int = documents.NOW, former: Sequence[str] = ()) -> Assignment:
    """A word that moves some loudspeakers; former places as the first words have them, unless given."""
    stood = {one.device: one.place for one in first_words().placements}
    places: list[UnitPath | None] = [UnitPath(one) for one in former] or [stood[device] for device in devices]
    placements = tuple(
        Placement(device, UnitPath(f"{to}/{device[-3:].replace('-', 'c')}") if to else None, place)
        for device, place in zip(devices, places, strict=True)
    )
    return Assignment(documents.PROVINCE, WallMs(issued), placements)


def grant(keys: Iterable[str], **changed: Any) -> Grant:
    """A commune's grant below the anchor."""
    made: dict[str, Any] = {
        "scope": documents.COMMUNE,
        "holder": "Đài truyền thanh xã Long Phú",
        "verbs": (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.STOP, Verb.ALERT),
        "keys": tuple(keys),
        "threshold": 1,
        "depth": 0,
        "not_before": WallMs(documents.NOW),
        "expires": WallMs(documents.NOW + 90 * DAY_MS),
        "epoch": 0,
        "serial": 2,
        "parent": ANCHOR_ID,
    }
    return Grant(**made | changed)


def denial(epoch: int = 1, *, issued: int = documents.NOW, **changed: Any) -> Denial:
    """The anchor takes back what it gave."""
    made: dict[str, Any] = {"scope": documents.PROVINCE, "holder": "anchor", "epoch": epoch, "issued": WallMs(issued)}
    return Denial(**made | changed)


def signed(document: Grant | Denial | Assignment, signers: Iterable[SigningKey]) -> Envelope:
    kinds = {Grant: Kind.GRANT, Denial: Kind.DENIAL, Assignment: Kind.ASSIGNMENT}
    return sign(kinds[type(document)], codec.encode(document), signers)
