"""A chain below the tests' anchor: the province's office, a station, its operator; denials and words."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from tests.controller.running import KE_SACH, PROVINCE
from tests.controller.signing.authorities import OPERATING, key

OFFICE, STATION, OPERATOR = "Ủy ban", "Đài Kế Sách", "Cô Lan"
ALL = tuple(Verb)


@dataclass(frozen=True, slots=True)
class Chain:
    """Three grants, each below the one before."""

    now: WallMs
    anchors: tuple[SigningKey, ...] = (key(1), key(2))
    office_keys: tuple[SigningKey, ...] = (key(41), key(42))
    station_key: SigningKey = key(43)
    operator_key: SigningKey = key(44)

    def grant(self, **fields: object) -> Grant:
        usual: dict[str, object] = {
            "scope": PROVINCE,
            "holder": OFFICE,
            "verbs": ALL,
            "keys": tuple(one.public for one in self.office_keys),
            "threshold": 2,
            "depth": 2,
            "not_before": WallMs(self.now - DAY_MS),
            "expires": WallMs(self.now + 300 * DAY_MS),
            "epoch": 0,
            "serial": 1,
            "parent": ANCHOR_ID,
        }
        return Grant(**{**usual, **fields})  # type: ignore[arg-type]

    def office(self, **fields: object) -> Envelope:
        return sign(Kind.GRANT, codec.encode(self.grant(**fields)), self.anchors)

    def station(self, parent: Envelope, *, signers: int = 2, **fields: object) -> Envelope:
        usual: dict[str, object] = {
            "scope": KE_SACH,
            "holder": STATION,
            "verbs": (*OPERATING, Verb.ALERT, Verb.GRANT),
            "keys": (self.station_key.public,),
            "threshold": 1,
            "depth": 1,
            "expires": WallMs(self.now + 100 * DAY_MS),
            "parent": parent.digest,
        }
        made = self.grant(**{**usual, **fields})
        return sign(Kind.GRANT, codec.encode(made), self.office_keys[:signers])

    def operator(self, parent: Envelope, **fields: object) -> Envelope:
        usual: dict[str, object] = {
            "scope": KE_SACH,
            "holder": OPERATOR,
            "verbs": OPERATING,
            "keys": (self.operator_key.public,),
            "threshold": 1,
            "depth": 0,
            "expires": WallMs(self.now + 60 * DAY_MS),
            "parent": parent.digest,
        }
        return sign(Kind.GRANT, codec.encode(self.grant(**{**usual, **fields})), [self.station_key])

    def whole(self) -> list[Envelope]:
        office = self.office()
        station = self.station(office)
        return [office, station, self.operator(station)]

    def denial(self, epoch: int = 1, *, signers: int = 2, **fields: object) -> Envelope:
        made = replace(Denial(PROVINCE, OFFICE, epoch, self.now), **fields)  # type: ignore[arg-type]
        return sign(Kind.DENIAL, codec.encode(made), self.office_keys[:signers])

    def word(self, *placements: Placement, scope: UnitPath = PROVINCE, later_ms: int = 0) -> Envelope:
        made = Assignment(scope, WallMs(self.now + later_ms), placements)
        return sign(Kind.ASSIGNMENT, codec.encode(made), self.office_keys)
