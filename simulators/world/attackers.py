"""What attackers make: documents of every kind that can change what comes out of a horn, wrong in every way.

They own broker, network and controller with its freshness key, have all that was ever sent, and the key of another
commune's operator; never a true key of the unit that they are after. What they would like to be heard is loud, at
once, and never in `Offices.signed`. Stands for `tests/attacks`, where the same is played against the real sound path.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from protocol import codec
from protocol.alert import Alert, Cancel, Part, Stop
from protocol.assignment import Assignment, Placement
from protocol.audible_config import AudibleConfig, Fallback, Station, Window
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.envelope import Envelope, Signature, payload_type, sign
from protocol.errors import Refusal
from protocol.grants import ANCHOR_ID, Grant
from protocol.keys import SigningKey, key_id
from protocol.limits import ENVELOPE_BYTES_MAX
from protocol.live import LiveSession
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath
from simulators.world.office import CHAIR, OPERATOR, PLACING, PROVINCE, VERBS, WIDE, Offices

if TYPE_CHECKING:
    from simulators.world.world import World

PIRATE: Final = Station(99_900, "Pirate", None)
_HIGH: Final = 8_000_000_000


@dataclass(frozen=True, slots=True)
class Want:
    """What an attacker would like to be heard.

    Attributes:
        unit: where.
        name: tells this attack from others.
        key: his own.
    """

    world: World
    unit: UnitPath
    name: str

    @property
    def offices(self) -> Offices:
        """Whose keys he has not, but for a few."""
        return self.world.offices

    @property
    def key(self) -> SigningKey:
        """A stranger's."""
        return self.offices.key("stranger")

    @property
    def wall(self) -> WallMs:
        """Now."""
        return self.world.trace_wall()

    @property
    def sound(self) -> MediaRef:
        """Something that is even to be had at the controller."""
        return self.world.people.sound(f"attack {self.name}", 60_000)


def _schedule(want: Want) -> Schedule:
    when = Explicit((WallMs(want.wall + 5000), WallMs(want.wall + 600_000)))
    item = Item("pirate", want.name, BulletinClass.PRIORITY, Programme(want.sound), when, (want.unit,))
    return Schedule(want.unit, _HIGH, want.wall, WallMs(want.wall + DAY_MS), (item,))


def _rules(want: Want) -> AudibleConfig:
    """No quiet hours, full volume, another station."""
    return AudibleConfig(
        want.unit,
        _HIGH,
        want.wall,
        fm_stations=(PIRATE,),
        fm_windows=(Window(0, 86_400),),
        fallback=Fallback.FM,
        talk_ms_max=3_600_000,
    )


def _alert(want: Want) -> Alert:
    life = WallMs(want.wall + 600_000)
    parts = (Part("vi", f"{want.name}: chạy đi"),)
    return Alert(want.unit, f"attack {want.name}", _HIGH, want.wall, life, 4, (want.unit,), parts)


def _cancel(want: Want) -> Cancel:
    """Of the alert that this unit sent last."""
    ids = [one for one in want.world.people.cancels if one.startswith(f"{want.unit}/")]
    named = ids[-1] if ids else f"{want.unit}/none"
    return Cancel(want.unit, named, want.wall, WallMs(want.wall + 600_000), (want.unit,))


def _live(want: Want) -> LiveSession:
    name = hashlib.sha256(want.name.encode()).hexdigest()[:32]
    life = WallMs(want.wall + 600_000)
    kind = BulletinClass.PRIORITY
    return LiveSession(want.unit, name, _HIGH, want.wall, life, kind, want.key.public, (want.unit,))


def _grant(want: Want) -> Grant:
    return Grant(
        scope=want.unit,
        holder=OPERATOR,
        verbs=VERBS,
        keys=(want.key.public,),
        threshold=1,
        depth=0,
        not_before=WallMs(want.wall - DAY_MS),
        expires=WallMs(want.wall + DAY_MS),
        epoch=99,
        serial=_HIGH,
        parent=ANCHOR_ID,
    )


def _move(want: Want) -> Assignment:
    names = sorted(name for name, one in want.world.devices.items() if one.identity.home == want.unit)
    placements = tuple(Placement(name, UnitPath(f"{PROVINCE}/39999/{name}")) for name in names[:50])
    return Assignment(PROVINCE, want.wall, placements or (Placement("d99999", UnitPath(f"{want.unit}/d99999")),))


WANTS: Final[dict[Kind, Callable[[Want], Any]]] = {
    Kind.SCHEDULE: _schedule,
    Kind.AUDIBLE_CONFIG: _rules,
    Kind.ALERT: _alert,
    Kind.ALERT_DRILL: _alert,
    Kind.ALERT_TEST: _alert,
    Kind.CANCEL: _cancel,
    Kind.STOP: lambda want: Stop(
        want.unit, _HIGH, want.wall, WallMs(want.wall + 600_000), WallMs(want.wall + 3_600_000), (want.unit,)
    ),
    Kind.LIVE_SESSION: _live,
    Kind.ASSIGNMENT: _move,
    Kind.DENIAL: lambda want: Denial(want.unit, CHAIR, 99, want.wall),
    Kind.GRANT: _grant,
}
"""Everything that can change what comes out of a horn."""


# Ways of being wrong.


def _forged(want: Want, kind: Kind, *keys: SigningKey) -> Envelope:
    return sign(kind, codec.encode(WANTS[kind](want)), keys)


def _neighbour(want: Want, kind: Kind) -> Envelope:
    """Another commune's operator: an insider."""
    others = [one for one in want.world.communes if one != want.unit]
    name = f"{others[0]}/{OPERATOR}" if others else "insider"
    return _forged(want, kind, want.offices.key(name))


def _clerk(want: Want, kind: Kind) -> Envelope:
    """Somebody of the province whose office is another one."""
    post = want.offices.posts[PROVINCE, PLACING if kind is not Kind.ASSIGNMENT else OPERATOR]
    return _forged(want, kind, *(want.offices.key(one) for one in post.signers))


def _half(want: Want, kind: Kind) -> Envelope:
    """One signature of the two that it takes; the same one twice."""
    post = want.offices.posts[PROVINCE, WIDE]
    once = _forged(want, kind, want.offices.key(post.keys[0]))
    return replace(once, signatures=once.signatures * 2)


def _named(want: Want, kind: Kind) -> Envelope:
    """His signature beside the operator's name."""
    post = want.offices.posts[want.unit, OPERATOR]
    name = key_id(want.offices.key(post.signers[0]).public)
    forged = _forged(want, kind, want.key)
    return replace(forged, signatures=(Signature(name, forged.signatures[0].signature),))


def _retyped(want: Want, kind: Kind) -> Envelope | None:
    """A truly signed document shown as one of another kind: a test as an actual emergency."""
    others = {Kind.ALERT: (Kind.ALERT_TEST, Kind.ALERT_DRILL), Kind.CANCEL: (Kind.ALERT,)}.get(kind, ())
    desk = want.world.people.desks[want.unit]
    found = next((one for one in reversed(desk.issued) if one.kind in others), None)
    return None if found is None else replace(found.envelope, payload_type=payload_type(kind))


def _altered(want: Want, kind: Kind) -> Envelope | None:
    """A truly signed document, longer by a space that changes nothing but the bytes."""
    desk = want.world.people.desks[want.unit]
    found = next((one for one in reversed(desk.issued) if one.kind is kind), None)
    return None if found is None else replace(found.envelope, payload=found.envelope.payload + b" ")


WAYS: Final[dict[str, tuple[Callable[[Want, Kind], Envelope | None], frozenset[Refusal]]]] = {
    "stranger": (lambda want, kind: _forged(want, kind, want.key), frozenset({Refusal.UNKNOWN_KEY})),
    "freshness": (
        lambda want, kind: _forged(want, kind, want.offices.freshness),
        frozenset({Refusal.UNKNOWN_KEY}),
    ),
    "unsigned": (lambda want, kind: _forged(want, kind), frozenset({Refusal.UNKNOWN_KEY})),
    "neighbour": (_neighbour, frozenset({Refusal.UNKNOWN_KEY})),
    "clerk": (_clerk, frozenset({Refusal.UNKNOWN_KEY, Refusal.VERB_NOT_GRANTED})),
    "half": (_half, frozenset({Refusal.UNKNOWN_KEY, Refusal.THRESHOLD_NOT_MET})),
    "named": (_named, frozenset({Refusal.BAD_SIGNATURE, Refusal.UNKNOWN_KEY})),
    "retyped": (_retyped, frozenset({Refusal.BAD_SIGNATURE})),
    "altered": (_altered, frozenset({Refusal.BAD_SIGNATURE})),
}
"""How a document is wrong, and what a device says to it; a kind that a way does not fit gives nothing."""


def forge(world: World, unit: UnitPath, *, way: str, kind: Kind, name: str) -> Envelope | None:
    """What an attacker makes in this way; None when he lacks the material."""
    return WAYS[way][0](Want(world, unit, name), kind)


def rubbish(dice: random.Random, *, size_bytes: int) -> bytes:
    """Bytes that are nothing, or begin like something."""
    begin = dice.choice((b"", b'{"payload":"', b'{"envelopes":[', b"LLS1", b"{" * 64, b"[1e9," * 8))
    return (begin + dice.randbytes(min(size_bytes, 4096)) * (size_bytes // 4096 + 1))[:size_bytes]


def huge() -> bytes:
    """An envelope one byte larger than any may be."""
    return b'{"payload":"' + b"A" * (ENVELOPE_BYTES_MAX - 11)
