"""The honest offices: province and commune with keys of their own, and everything they have ever signed.

The attacker has what they signed and never their keys. The neighbouring commune's operator is the insider.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any, Final

from protocol import codec
from protocol.alert import Alert, Cancel, Part, Stop
from protocol.audible_config import AudibleConfig, Station, Window
from protocol.bulletin import BulletinClass, Explicit, MediaRef, Weekly
from protocol.clock import DAY_MS, WallMs, wall_at
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.freshness import Head, Newest
from protocol.grants import Anchor, Grant
from protocol.keys import SigningKey
from protocol.live import LiveSegment, LiveSession
from protocol.parcel import pack_parcel
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb
from simulators.loop_clock import LoopClock

PROVINCE: Final = UnitPath("vn/92")
COMMUNE: Final = UnitPath("vn/92/31498")
NEIGHBOUR: Final = UnitPath("vn/92/31500")
PREFIX: Final = UnitPath("vn/92/314")
PLACE: Final = UnitPath("vn/92/31498/c07")
HAMLET_DEVICE: Final = PLACE
TODAY: Final = date(2026, 3, 2)
NINE: Final = wall_at(TODAY, 9 * 3600)
OPERATOR_VERBS: Final = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.ALERT, Verb.STOP)
STATION: Final = Station(97_300, "Đài tỉnh", "D973")


def key(name: str) -> SigningKey:
    """A key that is the same in every run."""
    return SigningKey.from_seed(hashlib.sha256(f"attacks {name}".encode()).digest())


ROOTS: Final = tuple(key(f"root {number}") for number in range(3))
FRESHNESS: Final = key("freshness")
P1, P2, C1, NEIGHBOUR_KEY, STRANGER = key("p1"), key("p2"), key("c1"), key("neighbour"), key("stranger")
PLACE_KEY, SCHEDULER, FORMER = key("place"), key("scheduler"), key("former operator")
ANCHOR: Final = Anchor(PROVINCE, tuple(one.public for one in ROOTS), 2, (FRESHNESS.public,))
ELSEWHERE_ROOTS: Final = tuple(key(f"root of another province {number}") for number in range(2))


def grant(scope: UnitPath, *keys: SigningKey, **fields: Any) -> Grant:
    """An operator's grant of ninety days around the story's day; fields may be replaced."""
    made: dict[str, Any] = {
        "scope": scope,
        "holder": scope.rpartition("/")[2],
        "verbs": OPERATOR_VERBS,
        "keys": tuple(one.public for one in keys),
        "threshold": 1,
        "depth": 0,
        "not_before": WallMs(NINE - 30 * DAY_MS),
        "expires": WallMs(NINE + 60 * DAY_MS),
        "epoch": 0,
        "serial": 2,
        "parent": "anchor",
    }
    return Grant(**(made | fields))


def seal(kind: Kind, document: object, *keys: SigningKey) -> Envelope:
    """An envelope around a document."""
    return sign(kind, codec.encode(document), keys)


def sign_grant(made: Grant, *keys: SigningKey) -> Envelope:
    """A grant under the anchor, unless other keys are named."""
    return seal(Kind.GRANT, made, *(keys or ROOTS[:2]))


class Offices:
    """Signs with dates relative to the clock's present."""

    def __init__(self, clock: LoopClock, media: MediaRef) -> None:
        self._clock, self.media = clock, media
        self.version, self.sequence = 10, 0
        self.grants = (
            sign_grant(grant(COMMUNE, C1)),
            sign_grant(grant(COMMUNE, FORMER, holder="đã thôi việc", expires=WallMs(NINE - DAY_MS))),
            sign_grant(grant(COMMUNE, SCHEDULER, holder="biên tập", verbs=(Verb.SCHEDULE,))),
            sign_grant(grant(PLACE, PLACE_KEY)),
            sign_grant(grant(PROVINCE, P1, P2)),
            sign_grant(grant(PROVINCE, P1, P2, holder="khẩn cấp", verbs=(Verb.ALERT, Verb.ALERT_WIDE), threshold=2)),
        )

    @property
    def wall(self) -> WallMs:
        """The true time."""
        return self._clock.now().wall

    def next_version(self) -> int:
        """Versions and sequences only grow."""
        self.version += 1
        return self.version

    def item(self, name: str = "buoi-sang", **fields: Any) -> Item:
        """A programme every day at ten past nine."""
        made: dict[str, Any] = {
            "id": name,
            "title": "Bản tin buổi sáng",
            "bulletin_class": BulletinClass.ORDINARY,
            "content": Programme(self.media),
            "when": every_day(9 * 3600 + 600),
            "targets": (COMMUNE,),
        }
        return Item(**(made | fields))

    def now_item(self, name: str = "ngay", *, in_ms: int = 3000, **fields: Any) -> Item:
        """A programme that begins in a moment: what an attacker would like to be heard."""
        return self.item(name, when=Explicit((WallMs(self.wall + in_ms),)), **fields)

    def schedule(self, *items: Item, **fields: Any) -> Schedule:
        """The next version of a unit's schedule."""
        made: dict[str, Any] = {
            "scope": COMMUNE,
            "version": fields.pop("version", None) or self.next_version(),
            "issued": self.wall,
            "expires": WallMs(self.wall + 30 * DAY_MS),
            "items": items,
        }
        return Schedule(**(made | fields))

    def config(self, **fields: Any) -> AudibleConfig:
        """The next version of the commune's rules of the horn."""
        made: dict[str, Any] = {
            "scope": COMMUNE,
            "version": fields.pop("version", None) or self.next_version(),
            "issued": self.wall,
            "quiet_hours": (Window(21 * 3600, 6 * 3600),),
            "fm_stations": (STATION,),
            "ordinary_attenuation_cdb": 600,
            "amplifier_hold_ms": 500,
        }
        return AudibleConfig(**(made | fields))

    def alert(self, text: str = "Nước sông lên nhanh", **fields: Any) -> Alert:
        """An alert of ten minutes; its text is its own, so an ear can tell it from any other."""
        self.sequence += 1
        wall = self.wall
        made: dict[str, Any] = {
            "scope": COMMUNE,
            "id": f"alert-{self.sequence}",
            "sequence": self.sequence,
            "issued": wall,
            "expires": WallMs(wall + 600_000),
            "severity": 3,
            "targets": (COMMUNE,),
            "parts": (Part("vi", f"{self.sequence} {text}"),),
            "tone_ms": 3000,
            "gap_ms": 1000,
        }
        return Alert(**(made | fields))

    def cancel(self, alert: Alert, **fields: Any) -> Cancel:
        """The cancel of an alert."""
        made: dict[str, Any] = {
            "scope": alert.scope,
            "alert_id": alert.id,
            "issued": alert.issued,
            "expires": alert.expires,
            "targets": alert.targets,
        }
        return Cancel(**(made | fields))

    def stop(self, *, for_ms: int = 60_000, **fields: Any) -> Stop:
        """A stop-now."""
        self.sequence += 1
        wall = self.wall
        made: dict[str, Any] = {
            "scope": COMMUNE,
            "sequence": self.sequence,
            "issued": wall,
            "expires": WallMs(wall + 600_000),
            "until": WallMs(wall + for_ms),
            "targets": (COMMUNE,),
        }
        return Stop(**(made | fields))

    def live(self, session_key: SigningKey, **fields: Any) -> LiveSession:
        """A live session of an hour."""
        self.sequence += 1
        wall = self.wall
        made: dict[str, Any] = {
            "scope": COMMUNE,
            "id": hashlib.sha256(f"live {self.sequence}".encode()).hexdigest()[:32],
            "sequence": self.sequence,
            "issued": wall,
            "expires": WallMs(wall + 3_600_000),
            "bulletin_class": BulletinClass.PRIORITY,
            "key": session_key.public,
            "targets": (COMMUNE,),
        }
        return LiveSession(**(made | fields))

    def parcel(self, *documents: Envelope) -> bytes:
        """What an honest controller retains for the commune."""
        head = Head(COMMUNE, self.wall, (Newest(COMMUNE, "schedule", self.version),))
        return pack_parcel(COMMUNE, (*self.grants, *documents, seal(Kind.HEAD, head, FRESHNESS)))


def every_day(at_s: int) -> Weekly:
    """Every day of the story's weeks, at a second of the local day."""
    return Weekly((1, 2, 3, 4, 5, 6, 7), at_s, "2026-02-20", "2026-03-20")


def segments(session: LiveSession, session_key: SigningKey, packets: tuple[bytes, ...]) -> list[bytes]:
    """A live session's sound in signed segments of half a second."""
    made = []
    for counter, at in enumerate(range(0, len(packets), 25)):
        sound = b"".join(len(one).to_bytes(2, "big") + one for one in packets[at : at + 25])
        bare = LiveSegment(session.id, counter, 500, sound, b"")
        made.append(bare.signed_bytes() + session_key.sign(bare.signed_bytes()))
    return made
