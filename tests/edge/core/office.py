"""An office with keys: signs what the stories need, so that each story states only what it is about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from edge.core.events import EnvelopeReceived, Route
from edge.core.state import Identity
from protocol import codec
from protocol.alert import Alert, Cancel, Part, Stop
from protocol.audible_config import AudibleConfig
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.freshness import Attestation, Head, Newest
from protocol.grants import Anchor, Grant
from protocol.keys import SigningKey
from protocol.live import LiveSession
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb
from simulators.desk import Desk

PROVINCE = UnitPath("vn/92")
COMMUNE = UnitPath("vn/92/31498")
OTHER_COMMUNE = UnitPath("vn/92/31500")
PLACE = UnitPath("vn/92/31498/c01")
OPERATOR_VERBS = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.ALERT, Verb.STOP)


def key(name: str) -> SigningKey:
    """A key that is the same in every run."""
    return SigningKey.from_seed(hashlib.sha256(name.encode()).digest())


ANCHOR_KEYS = tuple(key(f"anchor {number}") for number in range(3))
FRESHNESS = key("freshness")
PROVINCE_KEYS = (key("province 1"), key("province 2"))
COMMUNE_KEY = key("commune")
OTHER_KEY = key("other commune")
ANCHOR = Anchor(PROVINCE, tuple(one.public for one in ANCHOR_KEYS), 2, (FRESHNESS.public,))
IDENTITY = Identity("can-tho-c01", PLACE, ANCHOR)


def media(name: str, duration_ms: int = 60_000) -> MediaRef:
    """A programme's sound by its name."""
    return MediaRef(hashlib.sha256(name.encode()).hexdigest(), 10_000, duration_ms)


def grant_of(scope: UnitPath, keys: tuple[SigningKey, ...], **fields: Any) -> Grant:
    """An operator's grant; fields may be replaced."""
    made: dict[str, Any] = {
        "scope": scope,
        "holder": scope.rpartition("/")[2],
        "verbs": OPERATOR_VERBS,
        "keys": tuple(one.public for one in keys),
        "threshold": 1,
        "depth": 0,
        "not_before": WallMs(0),
        "expires": WallMs(2_000_000_000_000),
        "epoch": 0,
        "serial": 1,
        "parent": "anchor",
    }
    return Grant(**(made | fields))


def sign_document(kind: Kind, document: object, *keys: SigningKey) -> Envelope:
    """An envelope around a document."""
    return sign(kind, codec.encode(document), keys)


def sign_grant(grant: Grant, *keys: SigningKey) -> Envelope:
    """A grant signed by the anchor unless other keys are named."""
    return sign_document(Kind.GRANT, grant, *(keys or ANCHOR_KEYS[:2]))


@dataclass
class Office:
    """Signs for a desk, with dates relative to its present."""

    desk: Desk
    version: int = 0
    sequence: int = 0
    sent: list[Envelope] = field(default_factory=list)

    def give(self, envelope: Envelope, route: Route = Route.DOC) -> Envelope:
        """Delivers an envelope."""
        self.sent.append(envelope)
        self.desk.send(EnvelopeReceived(envelope.pack(), route))
        return envelope

    def give_grants(self) -> None:
        """The grants of the province's and the commune's operators."""
        self.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,))))
        self.give(sign_grant(grant_of(PROVINCE, PROVINCE_KEYS)))
        verbs = (Verb.ALERT, Verb.ALERT_WIDE)
        self.give(sign_grant(grant_of(PROVINCE, PROVINCE_KEYS, holder="wide", verbs=verbs, threshold=2)))

    def item(self, name: str, in_ms: int, **fields: Any) -> Item:
        """A programme of a minute that starts so long from now."""
        made: dict[str, Any] = {
            "id": name,
            "title": name.title(),
            "bulletin_class": BulletinClass.ORDINARY,
            "content": Programme(fields.pop("media", None) or media(name, fields.pop("duration_ms", 60_000))),
            "when": Explicit((WallMs(self.desk.wall + in_ms),)),
            "targets": (COMMUNE,),
        }
        return Item(**(made | fields))

    def schedule(self, *items: Item, scope: UnitPath = COMMUNE, **fields: Any) -> Schedule:
        """The next version of a unit's schedule."""
        self.version += 1
        wall = self.desk.wall
        made = {"version": self.version, "issued": wall, "expires": WallMs(wall + 30 * 86_400_000)}
        return Schedule(scope=scope, items=items, **(made | fields))

    def publish(self, *items: Item, scope: UnitPath = COMMUNE, **fields: Any) -> Envelope:
        """Signs and delivers a schedule."""
        signer = COMMUNE_KEY if scope == COMMUNE else PROVINCE_KEYS[0]
        return self.give(sign_document(Kind.SCHEDULE, self.schedule(*items, scope=scope, **fields), signer))

    def configure(self, scope: UnitPath = COMMUNE, **fields: Any) -> Envelope:
        """Signs and delivers an audible configuration."""
        self.version += 1
        config = AudibleConfig(scope, self.version, self.desk.wall, **fields)
        return self.give(sign_document(Kind.AUDIBLE_CONFIG, config, COMMUNE_KEY))

    def alert(self, **fields: Any) -> Alert:
        """An alert of ten minutes for the commune."""
        self.sequence += 1
        wall = self.desk.wall
        made: dict[str, Any] = {
            "scope": COMMUNE,
            "id": f"alert-{self.sequence}",
            "sequence": self.sequence,
            "issued": wall,
            "expires": WallMs(wall + 600_000),
            "severity": 3,
            "targets": (COMMUNE,),
            "parts": (Part("vi", "Nước lên nhanh."),),
        }
        return Alert(**(made | fields))

    def alarm(self, kind: Kind = Kind.ALERT, **fields: Any) -> Alert:
        """Signs and delivers an alert."""
        alert = self.alert(**fields)
        self.give(sign_document(kind, alert, COMMUNE_KEY), Route.ALERT)
        return alert

    def cancel(self, alert: Alert, **fields: Any) -> Envelope:
        """Signs and delivers the cancel of an alert."""
        made: dict[str, Any] = {
            "scope": alert.scope,
            "alert_id": alert.id,
            "issued": alert.issued,
            "expires": alert.expires,
            "targets": alert.targets,
        }
        return self.give(sign_document(Kind.CANCEL, Cancel(**(made | fields)), COMMUNE_KEY), Route.ALERT)

    def stop(self, for_ms: int, **fields: Any) -> Envelope:
        """Signs and delivers a stop-now."""
        self.sequence += 1
        wall = self.desk.wall
        made: dict[str, Any] = {
            "scope": COMMUNE,
            "sequence": self.sequence,
            "issued": wall,
            "expires": WallMs(wall + 600_000),
            "until": WallMs(wall + for_ms),
            "targets": (COMMUNE,),
        }
        return self.give(sign_document(Kind.STOP, Stop(**(made | fields)), COMMUNE_KEY), Route.ALERT)

    def live(self, session_key: SigningKey, **fields: Any) -> LiveSession:
        """Signs and delivers a live session."""
        self.sequence += 1
        wall = self.desk.wall
        made: dict[str, Any] = {
            "scope": COMMUNE,
            "id": hashlib.sha256(str(self.sequence).encode()).hexdigest()[:32],
            "sequence": self.sequence,
            "issued": wall,
            "expires": WallMs(wall + 3_600_000),
            "bulletin_class": BulletinClass.PRIORITY,
            "key": session_key.public,
            "targets": (COMMUNE,),
        }
        session = LiveSession(**(made | fields))
        self.give(sign_document(Kind.LIVE_SESSION, session, COMMUNE_KEY), Route.ALERT)
        return session

    def head(self, scope: UnitPath = COMMUNE, **fields: Any) -> Envelope:
        """Signs and delivers a head."""
        made: dict[str, Any] = {"issued": self.desk.wall, "newest": (Newest(scope, "schedule", self.version),)}
        return self.give(sign_document(Kind.HEAD, Head(scope=scope, **(made | fields)), FRESHNESS))


def attestation(nonce: str, wall: int, signer: SigningKey = FRESHNESS) -> bytes:
    """The controller's answer to a nonce."""
    return sign_document(Kind.ATTESTATION, Attestation(nonce, WallMs(wall)), signer).pack()
