"""Documents that stories hand over: small ones, dated now."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from protocol import codec
from protocol.alert import Alert, Part, Stop
from protocol.audible_config import AudibleConfig, Station, Window
from protocol.bulletin import BulletinClass, Explicit, MediaRef, Weekly
from protocol.clock import DAY_MS, WallMs
from protocol.schedule import Item, Programme, Relay, Schedule
from protocol.units import UnitPath

NOW = WallMs(1_764_000_000_000)
"""Monday 24 November 2025, 23:00 local time."""
COMMUNE = UnitPath("vn/92/31498")
OTHER = UnitPath("vn/92/31507")
PROVINCE = UnitPath("vn/92")
CONTROLLER = "http://127.0.0.1:8080"
SOUND = b"OggS" + bytes(range(200)) * 20


def media(sound: bytes = SOUND) -> MediaRef:
    return MediaRef(hashlib.sha256(sound).hexdigest(), len(sound), 125_000)


def programme(name: str, *, title: str = "", sound: bytes = SOUND, priority: bool = False) -> Item:
    return Item(
        id=name,
        title=title or f"Bản tin {name}",
        bulletin_class=BulletinClass.PRIORITY if priority else BulletinClass.ORDINARY,
        content=Programme(media(sound)),
        when=Weekly(days=(1, 3, 5), at_s=17 * 3600, first_date="2025-11-01", last_date="2025-12-31"),
        targets=(COMMUNE,),
    )


def relay(name: str, *, starts: Sequence[int] = ()) -> Item:
    return Item(
        id=name,
        title="Tiếp âm thời sự VOV",
        bulletin_class=BulletinClass.ORDINARY,
        content=Relay(frequency_khz=99_900, duration_ms=1_800_000, pi="A201"),
        when=Explicit(tuple(WallMs(one) for one in starts) or (WallMs(NOW + 6 * 3_600_000),)),
        targets=(UnitPath(f"{COMMUNE}/c01"),),
    )


def schedule(*items: Item, version: int = 1, scope: UnitPath = COMMUNE, issued: int = NOW, **more: Any) -> bytes:
    expires = WallMs(issued + 30 * DAY_MS)
    return codec.encode(Schedule(scope, version, WallMs(issued), expires, tuple(items), **more))


def alert(
    *,
    scope: UnitPath = COMMUNE,
    targets: Sequence[UnitPath] = (COMMUNE,),
    sequence: int = 1,
    issued: int = NOW,
    text: str = "Nước lũ đang lên nhanh. Bà con ở ven sông hãy đến trường học ngay.",
    recording: MediaRef | None = None,
) -> bytes:
    made = Alert(
        scope=scope,
        id=f"alert-{sequence}",
        sequence=sequence,
        issued=WallMs(issued),
        expires=WallMs(issued + 20 * 60_000),
        severity=3,
        targets=tuple(targets),
        parts=(Part("vi", text, recording), Part("km", "ទឹកជំនន់កំពុងឡើង។")),
    )
    return codec.encode(made)


def config(*, version: int = 1, **more: Any) -> bytes:
    made = AudibleConfig(
        scope=COMMUNE,
        version=version,
        issued=NOW,
        quiet_hours=(Window(begin_s=21 * 3600, end_s=5 * 3600),),
        fm_stations=(Station(99_900, "VOV1", "A201"),),
        **more,
    )
    return codec.encode(made)


def stop() -> bytes:
    expires = WallMs(NOW + 60_000)
    return codec.encode(
        Stop(COMMUNE, 7, issued=NOW, expires=expires, until=WallMs(NOW + 3_600_000), targets=(COMMUNE,))
    )


def read_stop() -> Stop:
    return codec.decode(Stop, stop(), bytes_max=8192)
