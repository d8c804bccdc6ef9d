"""The Si4703 as the agent's FM tuner: chip messages in a thread, RDS listened to in the background.

The identity is forgotten whenever the tuner goes elsewhere and whenever nothing of it was received for three seconds,
so a stronger sender without RDS does not inherit the name of the one it covers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, Protocol

from hardware.chip_thread import BusHungError, in_chip_thread
from hardware.errors import CardLostError
from hardware.i18n import N_
from hardware.interfaces import FmSignal, SoundSource
from hardware.rds import Decoder, Group
from hardware.si4703 import SEEK_RSSI_DBUV, FrequencyError, Reading, Si4703, Si4703Error, check_frequency
from hardware.steps import walk_through

SCAN_FROM_KHZ: Final = 87_000
SCAN_TO_KHZ: Final = 108_000
_AFTER_GROUP_S: Final = 0.06
_NO_GROUP_S: Final = 0.03
"""A group stands for 40 ms of 87.6: looked at so, each is seen once and few are missed."""
_ONCE_MORE_S: Final = 0.01
_RDS_SILENT_S: Final = 3.0
_CLOCK_AGREEMENT_S: Final = 2.0
_STATIONS_MAX: Final = 60
_log = logging.getLogger(__name__)


class Capture(Protocol):
    """The card's input to which the chip's output is wired."""

    async def open(self) -> SoundSource:
        """Frames from now on. Raises CardLostError."""
        ...


@dataclass(frozen=True, slots=True)
class StationFound:
    """A line of the self-test's table."""

    frequency_khz: int
    rssi_dbuv: int
    stereo: bool
    pi: str | None
    ps: str | None


@dataclass(frozen=True, slots=True)
class RadioTime:
    """A time told by the station, confirmed by the one before it.

    Attributes:
        utc_s: seconds since 1970 at `at_s`; a station's clock may be off by a minute or by an hour.
        offset_min: of local time.
        at_s: the event loop's time when it came.
    """

    utc_s: int
    offset_min: int
    at_s: float


class Si4703Tuner:
    """Implements `hardware.interfaces.FmTuner`.

    Args:
        capture: the card's input behind the chip.
        quiet: keeps others silent on the chip's bus while it tunes or seeks (`LineMeter.lent`): messages, whomever
            they are for, make the chip's oscillator tremble (data sheet, errata in section 4.7.1).
    """

    def __init__(
        self,
        chip: Si4703,
        capture: Capture,
        *,
        quiet: Callable[[], AbstractAsyncContextManager[object]] = nullcontext,
    ) -> None:
        self._chip, self._capture, self._quiet = chip, capture, quiet
        self._lock = asyncio.Lock()
        self._decoder = Decoder()
        self._frequency_khz = 0
        self._up = False
        self._heard_s = 0.0
        self._listening: asyncio.Task[None] | None = None
        self._unconfirmed: RadioTime | None = None
        self._time: RadioTime | None = None

    async def tune(self, frequency_khz: int) -> None:
        """See `hardware.interfaces.FmTuner`. The frequency it is on already is kept, with what is known of it."""
        async with self._talking():
            if frequency_khz == self._frequency_khz and (await self._read()).enabled:
                return
            await self._go(frequency_khz)
        self._listen()

    async def signal(self) -> FmSignal:
        """See `hardware.interfaces.FmTuner`. Where the AFC is at its rail the chip is mute: strength 0."""
        async with self._talking():
            reading = await self._read()
            if not reading.enabled:
                raise Si4703Error("the chip has lost its supply")
            if not self._frequency_khz:
                raise Si4703Error("it is tuned to nothing: the last tuning was given up")
        rssi_dbuv = 0 if reading.off_station else reading.rssi_dbuv
        return FmSignal(self._frequency_khz, rssi_dbuv, self._identity())

    async def open(self) -> SoundSource:
        """See `hardware.interfaces.FmTuner`."""
        return await self._capture.open()

    async def check(self) -> None:
        """Whether the chip answers; starts it where it is off. Raises CardLostError."""
        async with self._talking():
            if not self._up:
                await self._start()
            elif not (await self._read()).enabled:
                raise Si4703Error("the chip has lost its supply")

    async def close(self) -> None:
        """Stops listening and lets the chip sleep."""
        await self._fall_silent()
        if self._up:
            async with self._talking():
                await walk_through(self._chip.power_down())
                self._up, self._frequency_khz = False, 0

    @property
    def programme(self) -> Decoder:
        """All that is known of the station tuned to."""
        return self._decoder

    def clock_time(self) -> RadioTime | None:
        """The last time told by the station tuned to, once two of them agreed; None before."""
        return self._time

    async def scan(
        self,
        *,
        from_khz: int = SCAN_FROM_KHZ,
        to_khz: int = SCAN_TO_KHZ,
        rds_s: float = 2.0,
        found: Callable[[StationFound], object] = lambda _: None,
    ) -> tuple[StationFound, ...]:
        """Goes through the band once, by the chip's own seek; afterwards it is tuned to nothing.

        Args:
            rds_s: how long to listen to each station for its identity and name.
            found: told of each station at once, for a table that grows.

        Raises:
            CardLostError: the chip does not answer.
        """
        stations: list[StationFound] = []
        await self._fall_silent()
        async with self._talking():
            await self._go(from_khz)
            reading = await self._read()
            here = reading.rssi_dbuv >= SEEK_RSSI_DBUV and not reading.off_station
            while len(stations) < _STATIONS_MAX:
                if here:
                    stations.append(await self._introduced(rds_s))
                    found(stations[-1])
                async with self._quiet():
                    await walk_through(self._chip.seek())
                reading = await self._read()
                self._forget(reading.frequency_khz)
                here = self._chip.found and reading.frequency_khz <= to_khz
                if not here:
                    break
            self._forget(0)
        return tuple(stations)

    async def _introduced(self, rds_s: float) -> StationFound:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + rds_s
        while True:
            reading = await self._read()
            if loop.time() >= until_s or self._decoder.ps is not None:
                break
            await asyncio.sleep(self._take(reading))
        return StationFound(
            reading.frequency_khz, reading.rssi_dbuv, reading.stereo, self._decoder.pi, self._decoder.ps
        )

    async def _go(self, frequency_khz: int) -> None:
        check_frequency(frequency_khz)
        if not self._up:
            await self._start()
        self._forget(0)
        async with self._quiet():
            await walk_through(self._chip.tune(frequency_khz))
        self._forget(frequency_khz)

    async def _start(self) -> None:
        async with self._quiet():
            await walk_through(self._chip.power_up())
        self._up = True

    def _forget(self, frequency_khz: int) -> None:
        self._frequency_khz = frequency_khz
        self._decoder.forget()
        self._unconfirmed = self._time = None
        self._heard_s = asyncio.get_running_loop().time()

    @asynccontextmanager
    async def _talking(self) -> AsyncIterator[None]:
        """Alone with the chip. When it fails, the next tuning begins with a reset."""
        async with self._lock:
            try:
                yield
            except FrequencyError as error:
                raise CardLostError(str(error)) from error
            except (OSError, Si4703Error) as error:
                self._lose()
                raise CardLostError(N_("the FM chip does not answer as it should: %(why)s"), why=error) from error
            except asyncio.CancelledError:
                self._lose()
                raise

    def _lose(self) -> None:
        self._up = False
        self._forget(0)

    async def _read(self) -> Reading:
        """Once more after a disturbed message: a chip that is lost is reset, and that is a second of silence."""
        try:
            return await in_chip_thread(self._chip.read)
        except BusHungError:
            raise
        except OSError:
            await asyncio.sleep(_ONCE_MORE_S)
            return await in_chip_thread(self._chip.read)

    def _identity(self) -> str | None:
        if asyncio.get_running_loop().time() - self._heard_s > _RDS_SILENT_S:
            self._decoder.forget()
        return self._decoder.pi

    def _listen(self) -> None:
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._hear_groups(), name="rds")

    async def _fall_silent(self) -> None:
        if self._listening is not None:
            async with self._lock:  # never while its thread talks to the chip
                self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _hear_groups(self) -> None:
        try:
            while self._up:
                async with self._talking():
                    wait_s = self._take(await self._read()) if self._up else 0
                await asyncio.sleep(wait_s)
        except CardLostError as error:
            _log.debug("RDS ends: %s", error)

    def _take(self, reading: Reading) -> float:
        """Feeds a group that has come; returns how long to wait for the next."""
        if reading.group is None or reading.frequency_khz != self._frequency_khz:
            return _NO_GROUP_S
        group = Group(reading.group, reading.errors)
        if group.has(0):
            self._heard_s = asyncio.get_running_loop().time()
        if "ct" in self._decoder.feed(group):
            self._confirm()
        return _AFTER_GROUP_S

    def _confirm(self) -> None:
        told = self._decoder.ct
        assert told is not None, "it was just told"
        before = self._unconfirmed
        now = RadioTime(told.utc_s, told.offset_min, asyncio.get_running_loop().time())
        self._unconfirmed = now
        if before is not None:
            passed_s = now.at_s - before.at_s
            agrees = abs(now.utc_s - before.utc_s - passed_s) <= _CLOCK_AGREEMENT_S
            self._time = now if agrees else None
