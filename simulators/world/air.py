"""What is on the air: FM stations as each place receives them, and web radios as the network gives them.

Stands for transmitters, weather and the Si4703 with its RDS decoder (`hardware/fm_tuner.py`), without samples:
readings alone. Nothing costs anything while nobody listens: what a place receives is worked out when it is asked.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Final

from edge.ports import CardLostError, FmSignal, SoundSource
from simulators.world.sound_source import Defects, Flow

NOISE_DBUV: Final = 6
"""What a tuner reads where nobody sends."""
_RDS_DBUV: Final = 22
_RDS_WAIT_S: Final = 0.8
_RDS_SILENT_S: Final = 3.0
_STEADY: Final = 10
_CLOCK_TIME_S: Final = 60.0
_CALM_CLOCK_TIME_S: Final = 300.0
_TOLD_EACH_MINUTE: Final = 5


@dataclass(frozen=True, slots=True)
class Station:
    """A transmitter.

    Attributes:
        pi: its RDS identity, None without RDS.
        clock_error_ms: what it tells as the time minus the truth; None when it tells none.
    """

    frequency_khz: int
    pi: str | None
    rssi_dbuv: int
    clock_error_ms: int | None = None


@dataclass(slots=True)
class Reception:
    """What is different at one place.

    Attributes:
        loss_db: how much weaker everything comes in there; `fade_db` is for a while.
        foreign: who has taken a frequency, by kHz.
        nameless: frequencies whose RDS cannot be read; `garbled` ones tell a wrong name now and then.
    """

    loss_db: int = 0
    fade_db: int = 0
    foreign: dict[int, Station] = field(default_factory=dict)
    nameless: set[int] = field(default_factory=set)
    garbled: set[int] = field(default_factory=set)


STATIONS: Final = (Station(97_300, "D973", 56, clock_error_ms=0), Station(102_700, None, 52))
"""What is on the air around here; the second has no RDS."""


class Air:
    """Everything that is sent in a province.

    Attributes:
        off: frequencies that are off the air.
        clock_lies: what a station tells as the time minus the truth, by kHz, while it is wrong.
        flows: web radios that do not answer as they should, by address.
    """

    def __init__(self, stations: tuple[Station, ...]) -> None:
        self._stations = {one.frequency_khz: one for one in stations}
        self._listeners: list[Callable[[], None]] = []
        self.off: set[int] = set()
        self.clock_lies: dict[int, int] = {}
        self.flows: dict[str, Flow] = {}

    def station(self, reception: Reception, frequency_khz: int) -> Station | None:
        """Who is received there: whoever has taken a frequency covers its owner."""
        foreign = reception.foreign.get(frequency_khz)
        if foreign is not None:
            return foreign
        return None if frequency_khz in self.off else self._stations.get(frequency_khz)

    def flow(self, address: str) -> Flow:
        """How a web radio answers."""
        return self.flows.get(address, Flow.ON)

    def listen(self, told: Callable[[], None]) -> None:
        """Is called when anything about the web radios changes."""
        self._listeners.append(told)

    def become(self, address: str, flow: Flow) -> None:
        """A web radio gives nothing, or goes on."""
        self.flows[address] = flow
        for told in self._listeners:
            told()


class WorldTuner:
    """Implements `edge.ports.FmTuner` for one start of one computer.

    A station that is as it was for ten readings is told every other second: nobody waits for it (the core, 3 s).

    Args:
        clock_time: told of a station's clock-time with its error: a few minutes, then every five.
        dice: for garbled names.
    """

    def __init__(
        self,
        air: Air,
        reception: Reception,
        defects: Defects,
        *,
        clock_time: Callable[[int], None],
        dice: random.Random,
    ) -> None:
        self._air, self._reception, self._defects = air, reception, defects
        self._clock_time, self._dice = clock_time, dice
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._frequency_khz = 0
        self._named: tuple[Station | None, float] = (None, 0.0)
        self._heard: tuple[str | None, float] = (None, 0.0)
        self._last: tuple[int, str | None] = (0, None)
        self._steady = self._told = 0
        self._handle: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """The computer is gone."""
        if self._handle is not None:
            self._handle.cancel()

    async def tune(self, frequency_khz: int) -> None:
        """See `edge.ports.FmTuner`."""
        self._check()
        if frequency_khz != self._frequency_khz:
            self._frequency_khz, self._steady = frequency_khz, 0
            self._named, self._heard = (None, self._loop.time()), (None, 0.0)
            self.close()
            self._handle = self._loop.call_later(2 * _CLOCK_TIME_S, self._tell_time, context=self._context)

    async def signal(self) -> FmSignal:
        """See `edge.ports.FmTuner`."""
        if self._steady >= _STEADY:
            await asyncio.sleep(1.0)
        self._check()
        station = self._air.station(self._reception, self._frequency_khz)
        rssi_dbuv = self._strength(station)
        found = rssi_dbuv, self._identity(station, rssi_dbuv)
        self._steady = self._steady + 1 if found == self._last else 0
        self._last = found
        return FmSignal(self._frequency_khz, *found)

    async def open(self) -> SoundSource:
        """See `edge.ports.FmTuner`. A world has no samples."""
        raise CardLostError("nobody listens to samples here")

    def _check(self) -> None:
        if self._defects.tuner_dead:
            self._frequency_khz = 0
            raise CardLostError("the FM chip does not answer")

    def _strength(self, station: Station | None) -> int:
        if station is None:
            return NOISE_DBUV
        return max(NOISE_DBUV, station.rssi_dbuv - self._reception.loss_db - self._reception.fade_db)

    def _identity(self, station: Station | None, rssi_dbuv: int) -> str | None:
        now_s = self._loop.time()
        if station is not self._named[0]:
            self._named = (station, now_s)
        named = station is not None and station.pi is not None and rssi_dbuv >= _RDS_DBUV
        if named and self._frequency_khz not in self._reception.nameless and now_s - self._named[1] >= _RDS_WAIT_S:
            assert station is not None, "asked above"
            garbled = self._frequency_khz in self._reception.garbled and self._dice.random() < 0.05
            self._heard = ("FFFF" if garbled else station.pi), now_s
        return self._heard[0] if now_s - self._heard[1] <= _RDS_SILENT_S else None

    def _tell_time(self) -> None:
        """Of two words that agree, a minute apart."""
        station = self._air.station(self._reception, self._frequency_khz)
        heard = self._strength(station) >= _RDS_DBUV and not self._defects.tuner_dead
        if station is not None and station.clock_error_ms is not None and heard:
            if self._frequency_khz not in self._reception.nameless:
                lie = self._air.clock_lies.get(self._frequency_khz, station.clock_error_ms)
                self._clock_time(lie)
            self._told += 1
        wait_s = _CLOCK_TIME_S if self._told < _TOLD_EACH_MINUTE else _CALM_CLOCK_TIME_S
        self._handle = self._loop.call_later(wait_s, self._tell_time, context=self._context)
