"""Whole inputs to begin with, signed by the people of the tests; made when they are asked for, never stored."""

from __future__ import annotations

import json
from functools import cache

from protocol import codec
from protocol.assignment import Assignment, Placement
from protocol.audible_config import AudibleConfig, Fallback, Station, Window
from protocol.bulletin import BulletinClass, Explicit, MediaRef, Weekly
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import Refusal
from protocol.freshness import Attestation, Head, Newest
from protocol.keys import SigningKey
from protocol.live import LiveSegment, LiveSession
from protocol.parcel import pack_parcel
from protocol.report import AsRun, EndReason, Fault, FaultCode, InForce, Level, Receipt, Standing, Status
from protocol.schedule import Item, Programme, Relay, Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.fuzz.mutation import FOREIGN
from tests.protocol.people import (
    ANCHOR,
    C1,
    COMMUNE,
    FRESHNESS,
    NOW,
    P1,
    PROVINCE,
    STRANGER,
    alert,
    cancel,
    grant,
    grant_envelope,
    key,
    stop,
)

DEVICE = "c07"
PLACE = f"{COMMUNE}/{DEVICE}"
SESSION_KEY = key("live")
NONCE = "0f" * 16
VERBS = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.ALERT, Verb.STOP)
_LATER = WallMs(NOW + 60_000)


def media(name: str) -> MediaRef:
    return MediaRef(key(name).public, 400_000, 120_000)


def schedule(version: int = 3) -> bytes:
    weekly = Weekly((1, 3, 7), 61_200, "2025-11-20", "2025-12-31", ("2025-12-24",))
    now = Explicit((NOW, WallMs(NOW + 3_600_000)))
    items = (
        Item("tin", "Lịch tiêm phòng", BulletinClass.ORDINARY, Programme(media("tin")), now, (COMMUNE,)),
        Item("lu", "Nước lên", BulletinClass.PRIORITY, Programme(media("lu")), weekly, (COMMUNE,)),
        Item("fm", "Tiếp âm", BulletinClass.ORDINARY, Relay(99_900, 1_800_000, "A201"), weekly, (COMMUNE,)),
    )
    made = Schedule(COMMUNE, version, NOW, WallMs(NOW + 30 * DAY_MS), items, (f"{COMMUNE}#lu",))
    return codec.encode(made)


def config(version: int = 2) -> bytes:
    quiet, stations = (Window(3600, 7200),), (Station(99_900, "VOV1", "A201"),)
    made = AudibleConfig(COMMUNE, version, NOW, quiet, fm_stations=stations, fallback=Fallback.FM)
    return codec.encode(made)


def live_session() -> bytes:
    targets = (COMMUNE,)
    made = LiveSession(COMMUNE, "ab" * 16, 4, NOW, _LATER, BulletinClass.PRIORITY, SESSION_KEY.public, targets)
    return codec.encode(made)


def head() -> bytes:
    return codec.encode(Head(COMMUNE, NOW, (Newest(COMMUNE, Kind.SCHEDULE, 3),)))


@cache
def office_grant() -> Envelope:
    return grant_envelope(grant(verbs=VERBS))


@cache
def province_grant() -> Envelope:
    return grant_envelope(
        grant(scope=PROVINCE, holder="Thành phố", keys=(P1.public,), verbs=(*VERBS, Verb.GRANT), depth=1)
    )


@cache
def spoken() -> dict[Kind, Envelope]:
    """One of each kind, truly signed."""
    payloads = {
        Kind.SCHEDULE: schedule(),
        Kind.AUDIBLE_CONFIG: config(),
        Kind.ALERT: alert(),
        Kind.ALERT_TEST: alert(),
        Kind.CANCEL: cancel(),
        Kind.STOP: stop(),
        Kind.LIVE_SESSION: live_session(),
        Kind.ASSIGNMENT: codec.encode(Assignment(COMMUNE, NOW, (Placement("c99", UnitPath(f"{COMMUNE}/c99")),))),
        Kind.DENIAL: codec.encode(Denial(COMMUNE, "Đài xã", 1, NOW)),
    }
    made = {kind: sign(kind, payload, [C1]) for kind, payload in payloads.items()}
    made[Kind.GRANT], made[Kind.HEAD] = office_grant(), sign(Kind.HEAD, head(), [FRESHNESS])
    made[Kind.ATTESTATION] = sign(Kind.ATTESTATION, codec.encode(Attestation(NONCE, NOW)), [FRESHNESS])
    return made


def strangers() -> list[Envelope]:
    """Well-formed and signed by nobody who may."""
    return [sign(kind, one.payload, [STRANGER]) for kind, one in spoken().items()]


def envelopes() -> list[bytes]:
    return [one.pack() for one in (*spoken().values(), *strangers(), province_grant())] + [*FOREIGN]


def payloads() -> list[bytes]:
    return [one.payload for one in spoken().values()] + [codec.encode(ANCHOR), *FOREIGN]


def parcel(*kinds: Kind) -> bytes:
    return pack_parcel(COMMUNE, tuple(spoken()[kind] for kind in kinds or tuple(spoken())))


def parcels() -> list[bytes]:
    return [parcel(), parcel(Kind.GRANT, Kind.SCHEDULE), pack_parcel(COMMUNE, tuple(strangers()[:3])), *FOREIGN]


def segment(counter: int = 0, signer: SigningKey = SESSION_KEY) -> bytes:
    sound = b"\x00\x03abc\x00\x02de"
    bare = LiveSegment("ab" * 16, counter, 40, sound, bytes(64))
    return LiveSegment("ab" * 16, counter, 40, sound, signer.sign(bare.signed_bytes())).pack()


def segments() -> list[bytes]:
    return [segment(), segment(9), segment(1, STRANGER), *FOREIGN]


def reports() -> list[bytes]:
    digest = office_grant().digest
    receipt = Receipt(DEVICE, digest, "grant", Standing.REFUSED, NOW, "tin", Refusal.EXPIRED, "since Monday")
    run = AsRun("1", DEVICE, 5, digest, NOW, _LATER, EndReason.COMPLETE, -1800, -2000, digest, "tin", NOW, 0, None)
    fault = Fault(DEVICE, FaultCode.CARD_LOST, NOW, "sound card", _LATER)
    in_force, levels = (InForce(COMMUNE, "schedule", 3, digest),), (Level(NOW, 5, -1800),)
    status = Status(DEVICE, COMMUNE, NOW, 5, -1800, "agreed", "0.1.0", "b1", 1, 2, "tin", in_force, (), levels)
    return [codec.encode(one) for one in (receipt, run, fault, status)] + [*FOREIGN]


def json_seed(value: object) -> bytes:
    return json.dumps(value).encode()
