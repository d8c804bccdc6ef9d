"""The demo province's FM: what may be relayed, and the foreign station that comes in stronger.

Frequencies are of the region, identities and programmes are made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulators.face import StationWeather
from simulators.fm_station import SimEther, SimStation
from simulators.melody import melody
from simulators.recording import programme

FOREIGN_PI: Final = "3F5A"
_OWN_RSSI: Final = 55
_FOREIGN_RSSI: Final = 62


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A station of the signed plan."""

    frequency_khz: int
    name: str
    pi: str
    seed: int


PLAN: Final = (
    Broadcast(97_300, "Đài Phát thanh Cần Thơ", "D973", 11),
    Broadcast(90_000, "VOV Mekong FM", "D900", 12),
)


def station_plan() -> list[dict[str, Any]]:
    """The stations as an audible configuration names them."""
    return [{"frequency_khz": one.frequency_khz, "name": one.name, "pi": one.pi} for one in PLAN]


@dataclass(frozen=True, slots=True)
class Programmes:
    """What is broadcast: samples, one piece for each station of the plan, and the foreign one's."""

    own: tuple[bytes, ...]
    foreign: bytes


def plain_programmes() -> Programmes:
    """Melodies only: made at once, for places where nobody listens."""
    return Programmes(tuple(melody(one.seed, duration_ms=1000) for one in PLAN), melody(99, duration_ms=1000))


async def spoken_programmes() -> Programmes:
    """With announcements, so an ear knows which station it hears."""
    own = [await programme(one.seed, f"Đây là {one.name}. Chương trình ca nhạc.") for one in PLAN]
    return Programmes(tuple(own), await programme(99, "This is a foreign station. You should not hear this.", "en"))


class Air:
    """What one place receives, and who may change it."""

    def __init__(self, programmes: Programmes) -> None:
        self._own = _transmitters(programmes.own)
        self._foreign = _transmitters((programmes.foreign,) * len(PLAN), foreign=True)
        self.ether = SimEther(*self._own, *self._foreign)
        self.weather = StationWeather.ON
        self.become(StationWeather.ON)

    def become(self, weather: StationWeather) -> None:
        """The stations go on or off the air, or are overpowered."""
        self.weather = weather
        for station in self._own:
            station.on_air = weather is not StationWeather.OFF
        for station in self._foreign:
            station.on_air = weather is StationWeather.FOREIGN


def _transmitters(sounds: Sequence[bytes], *, foreign: bool = False) -> list[SimStation]:
    rssi_dbuv = _FOREIGN_RSSI if foreign else _OWN_RSSI
    return [
        SimStation(
            one.frequency_khz,
            sound,
            pi=FOREIGN_PI if foreign else one.pi,
            ps="" if foreign else one.name[:8],
            rssi_dbuv=rssi_dbuv,
        )
        for one, sound in zip(PLAN, sounds, strict=True)
    ]
