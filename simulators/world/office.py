"""The offices of a province: who holds which key, and what they sign. Everything signed is known here for ever.

The oracle of all that may sound: a sound whose document this list does not hold was ordered by nobody.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind, OperatorDocument
from protocol.envelope import Envelope, sign
from protocol.grants import ANCHOR_ID, Anchor, Grant
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from simulators.world.chance import Chance
from simulators.world.clock import DAWN

PROVINCE: Final = UnitPath("vn/92")
_OPERATOR: Final = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.ALERT, Verb.STOP)
_YEAR_MS: Final = 300 * DAY_MS


@dataclass(frozen=True, slots=True)
class Signed:
    """Something an office signed."""

    kind: Kind
    document: OperatorDocument | Grant
    envelope: Envelope
    at: WallMs


@dataclass(slots=True)
class Offices:
    """All keys of the province, made from the seed."""

    chance: Chance
    signed: dict[str, Signed] = field(default_factory=dict)

    def key(self, name: str) -> SigningKey:
        """The key of that name, the same in every run of the seed."""
        return SigningKey.from_seed(hashlib.sha256(f"{self.chance.seed}/{name}".encode()).digest())

    @property
    def freshness(self) -> SigningKey:
        """The controller's own."""
        return self.key("freshness")

    @property
    def anchor(self) -> Anchor:
        """What every device was given at enrolment."""
        keys = tuple(self.key(f"root {number}").public for number in range(3))
        return Anchor(PROVINCE, keys, 2, (self.freshness.public,))

    def grants(self, units: tuple[UnitPath, ...]) -> list[Signed]:
        """The operators of the province and of each commune, signed by the root."""
        made = [self._grant(PROVINCE, _OPERATOR)]
        wide = self._grant(PROVINCE, (Verb.ALERT, Verb.ALERT_WIDE), holder="wide", threshold=2)
        return [*made, wide, *(self._grant(unit, _OPERATOR) for unit in units)]

    def _grant(
        self, scope: UnitPath, verbs: tuple[Verb, ...], *, holder: str = "operator", threshold: int = 1
    ) -> Signed:
        names = (
            [f"{scope}/{holder}"] if threshold == 1 else [f"{scope}/{holder} {one}" for one in range(threshold + 1)]
        )
        grant = Grant(
            scope=scope,
            holder=holder,
            verbs=verbs,
            keys=tuple(self.key(one).public for one in names),
            threshold=threshold,
            depth=0,
            not_before=WallMs(DAWN - DAY_MS),
            expires=WallMs(DAWN + _YEAR_MS),
            epoch=0,
            serial=1,
            parent=ANCHOR_ID,
        )
        return self.sign(Kind.GRANT, grant, "root 0", "root 1", at=DAWN)

    def sign(self, kind: Kind, document: OperatorDocument | Grant, *keys: str, at: WallMs) -> Signed:
        """Signs, and remembers for ever."""
        envelope = sign(kind, codec.encode(document), [self.key(one) for one in keys])
        made = Signed(kind, document, envelope, at)
        self.signed[envelope.digest] = made
        return made

    def operator(self, scope: UnitPath) -> str:
        """The name of the operator's key of a unit."""
        return f"{scope}/operator"
