"""A made-up ether: FM stations that come, fade and are overpowered, and a tuner that hears the strongest."""

from __future__ import annotations

import audioop
from dataclasses import dataclass
from typing import Final

from edge.ports import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE, CardLostError, FmSignal, SoundSource
from simulators.horn import SAMPLES_PER_MS
from simulators.loop_clock import LoopClock
from simulators.melody import noise
from simulators.pace import Pace

NOISE_RSSI_DBUV: Final = 6
"""What a tuner reads where nobody sends."""
_RDS_RSSI_DBUV: Final = 22
_CLEAR_RSSI_DBUV: Final = 34
_RDS_WAIT_MS: Final = 800
"""A group of RDS takes 88 ms and the identity is believed after several equal ones."""


@dataclass(slots=True)
class SimStation:
    """A transmitter.

    Attributes:
        pi: programme identity as four hexadecimal digits, None without RDS.
        ps: name in the display, up to eight characters.
        sound: its programme, which starts again at its end; what sounds follows the clock, for all who listen.
        rssi_dbuv: how strong it comes in.
        on_air: switch it off and there is noise.
    """

    frequency_khz: int
    sound: bytes
    pi: str | None = None
    ps: str = ""
    rssi_dbuv: int = 55
    on_air: bool = True

    def at(self, mono_ms: float) -> bytes:
        """The frame that is sent at an instant."""
        begin = round(mono_ms * SAMPLES_PER_MS) * 2 % len(self.sound)
        piece = self.sound[begin : begin + FRAME_BYTES]
        return piece + self.sound[: FRAME_BYTES - len(piece)]


class SimEther:
    """All stations a place can receive. Stations on the same frequency are allowed: the strongest is heard."""

    def __init__(self, *stations: SimStation) -> None:
        self.stations = list(stations)

    def strongest(self, frequency_khz: int) -> SimStation | None:
        """Who is received on a frequency."""
        received = (one for one in self.stations if one.on_air and one.frequency_khz == frequency_khz)
        return max(received, key=lambda one: one.rssi_dbuv, default=None)


class SimTuner:
    """Implements `edge.ports.FmTuner`.

    Attributes:
        broken: the chip does not answer.
    """

    def __init__(self, clock: LoopClock, ether: SimEther) -> None:
        self._clock = clock
        self._ether = ether
        self._frequency_khz = 0
        self._identified: tuple[SimStation | None, float] = (None, 0.0)
        self.broken = False

    async def tune(self, frequency_khz: int) -> None:
        """See `edge.ports.FmTuner`."""
        self._check()
        if frequency_khz != self._frequency_khz:
            self._frequency_khz = frequency_khz
            self._identified = (None, self._clock.exact_mono_ms())

    async def signal(self) -> FmSignal:
        """See `edge.ports.FmTuner`."""
        self._check()
        station = self._ether.strongest(self._frequency_khz)
        rssi_dbuv = NOISE_RSSI_DBUV if station is None else station.rssi_dbuv
        return FmSignal(self._frequency_khz, rssi_dbuv, self._identity(station))

    async def open(self) -> SoundSource:
        """See `edge.ports.FmTuner`."""
        self._check()
        return _FmSource(self, Pace(self._clock))

    def frame_at(self, mono_ms: float) -> bytes:
        """What is received at an instant. Raises CardLostError."""
        self._check()
        return received(self._ether, self._frequency_khz, mono_ms)

    def _identity(self, station: SimStation | None) -> str | None:
        if station is None or station.rssi_dbuv < _RDS_RSSI_DBUV:
            self._identified = (None, self._clock.exact_mono_ms())
            return None
        known, since_ms = self._identified
        if known is not station:
            since_ms = self._clock.exact_mono_ms() if known is not None else since_ms
            self._identified = (station, since_ms)
        return station.pi if self._clock.exact_mono_ms() - since_ms >= _RDS_WAIT_MS else None

    def _check(self) -> None:
        if self.broken:
            raise CardLostError("the simulated FM chip does not answer")


class _FmSource:
    """What the tuner hears, as it hears it."""

    def __init__(self, tuner: SimTuner, pace: Pace) -> None:
        self._tuner = tuner
        self._pace = pace

    async def read(self) -> bytes | None:
        """See `edge.ports.SoundSource`."""
        return self._tuner.frame_at(await self._pace.next_ms())

    async def close(self) -> None:
        """See `edge.ports.SoundSource`."""


def received(ether: SimEther, frequency_khz: int, mono_ms: float) -> bytes:
    """The frame a receiver makes of a frequency at an instant: weak stations drown in noise."""
    station = ether.strongest(frequency_khz)
    hiss = _hiss(mono_ms)
    if station is None:
        return hiss
    clearness = max(0.0, min(1.0, (station.rssi_dbuv - NOISE_RSSI_DBUV) / (_CLEAR_RSSI_DBUV - NOISE_RSSI_DBUV)))
    sound = audioop.mul(station.at(mono_ms), 2, clearness)
    return audioop.add(sound, audioop.mul(hiss, 2, 1 - clearness), 2)


def _hiss(mono_ms: float) -> bytes:
    begin = round(mono_ms * SAMPLES_PER_MS) % (SAMPLE_RATE - FRAME_SAMPLES) * 2
    return noise()[begin : begin + FRAME_BYTES]
