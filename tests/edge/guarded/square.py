"""A village square with the whole agent on a guarded board: honest offices, a station in the air, and ears.

Everything of the agent is real, down to its disk and its signed configuration. The guardian makes the firmware's own
decisions on simulated pins. It lives on whatever happens to the computer, as a board of its own does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from protocol.audible_config import Fallback, Window
from protocol.bulletin import CatchUp, MediaRef
from protocol.document import Kind
from protocol.report import Fault, FaultCode
from simulators.attacker import Attacker
from simulators.board import SimBoard
from simulators.guardian import SimGuardian
from simulators.listening import find, first_sound_ms
from simulators.loop_clock import LoopClock
from tests.attacks.loudspeaker import KEPT_S, Loudspeaker
from tests.attacks.offices import C1, COMMUNE, FRESHNESS, NEIGHBOUR_KEY, NINE, Offices, every_day, seal
from tests.attacks.scene import Scene

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
START: Final = NINE + MINUTE
"""When the programme begins."""
PROGRAMME_MS: Final = 50 * SECOND
MORNING: Final = Window(8 * 3600, 12 * 3600)
AFTERNOON: Final = Window(15 * 3600, 16 * 3600)
ALIKE: Final = 0.9
_LATE_MS: Final = 100
"""A melody goes through the codec and the frames; a second of it is looked for around its place."""


@dataclass(frozen=True, repr=False)
class Recording:
    """What may be heard: the programme, and the station of the signed plan."""

    samples: bytes
    data: bytes
    media: MediaRef
    station: bytes


@dataclass(repr=False)
class Square(Scene):
    """One test's square.

    Attributes:
        station: what the signed station broadcasts.
    """

    station: bytes = b""

    @property
    def board(self) -> SimBoard:
        """The hardware."""
        return self.speaker.board

    @property
    def guardian(self) -> SimGuardian:
        """The part of the board that outlives the computer."""
        guardian = self.board.sim_guardian
        assert guardian is not None, "this board is guarded"
        return guardian

    @property
    def now(self) -> float:
        """The true time, with fractions."""
        return self.speaker.clock.exact_mono_ms() + self.speaker.clock.offset_ms

    async def ready(self) -> None:
        """The agent stands as it should, is heard by the guardian, and has handed its plan over."""
        await self.power_up()
        await asyncio.sleep(6)
        state = self.guardian.state()
        assert state is not None and state.source == "computer" and state.plan_version > 0

    async def hang(self) -> float:
        """The computer stops in the middle of a sample, without a farewell to anybody; when that was."""
        at = self.now
        await self.speaker.cut_power(off_s=0)
        return at

    async def come_back(self) -> None:
        """The service manager starts the agent anew; returns when it has booted."""
        await self.boot()

    def faults(self, code: FaultCode) -> list[Fault]:
        """What was told about one kind of fault."""
        return [one for one in self.attacker.faults() if one.code is code]

    # The ears.

    def hears_programme(self, begin_ms: float, end_ms: float) -> bool:
        """Whether the programme sounds at its place during all of that time, second by second."""
        seconds = range(int(begin_ms), int(end_ms) - SECOND + 1, SECOND)
        return all(self._is_programme_at(one) for one in seconds) and bool(seconds)

    def _is_programme_at(self, at_ms: float) -> bool:
        first = round(at_ms - START) * 96
        piece = self.programme[first : first + SECOND * 96]
        heard = self.speaker.heard(at_ms - _LATE_MS, at_ms + SECOND + _LATE_MS).samples
        return any(heard) and find(piece, heard).correlation > ALIKE

    def hears_some_programme(self, begin_ms: float) -> bool:
        """Whether the second that begins there is any second of the programme."""
        heard = self.speaker.heard(begin_ms, begin_ms + SECOND).samples
        return any(heard) and find(heard, self.programme).correlation > ALIKE

    def hears_station(self, begin_ms: float, end_ms: float) -> bool:
        """Whether the station sounds during all of that time, second by second."""
        seconds = range(int(begin_ms), int(end_ms) - SECOND + 1, SECOND)
        return all(self._is_station_at(one) for one in seconds) and bool(seconds)

    def _is_station_at(self, at_ms: float) -> bool:
        heard = self.speaker.heard(at_ms, at_ms + SECOND).samples
        return any(heard) and find(heard, self.station * 2).correlation > ALIKE

    def hears_nothing(self, begin_ms: float, end_ms: float) -> bool:
        """Whether every sample of that time is nothing."""
        return not any(self.speaker.heard(begin_ms, end_ms).samples)

    def sounds_again_ms(self, since_ms: float) -> float | None:
        """When the first sound after that time began."""
        return first_sound_ms(self.speaker.heard(since_ms))


def rules(**fields: Any) -> dict[str, Any]:
    """A commune that wants FM in the morning when its computer is dead; fields may be replaced."""
    return {
        "on_computer_dead": Fallback.FM,
        "fm_windows": (MORNING,),
        "ordinary_attenuation_cdb": 0,
    } | fields


@asynccontextmanager
async def open_square(
    directory: Path, recording: Recording, *, guarded: bool, config: Mapping[str, Any]
) -> AsyncIterator[Square]:
    """The offices have signed everything; the computer is not switched on yet, the guardian is."""
    clock = LoopClock(wall=NINE)
    offices = Offices(clock, recording.media)
    speaker = Loudspeaker(directory, clock, own=recording.station, foreign=recording.station)
    speaker.board = SimBoard(clock, ether=speaker.air.ether, keep_s=KEPT_S, guarded=guarded)
    attacker = Attacker(
        freshness=FRESHNESS, insider=NEIGHBOUR_KEY, wall=lambda: clock.now().wall, unit=COMMUNE, slot=speaker.slot
    )
    attacker.web.media[recording.media.digest] = recording.data
    signed = seal(Kind.AUDIBLE_CONFIG, offices.config(**rules(**config)), C1)
    morning = offices.item(when=every_day(9 * 3600 + 60), catch_up=CatchUp.RESUME)
    dawn = offices.item("rang-dong", when=every_day(6 * 3600))
    schedule = seal(Kind.SCHEDULE, offices.schedule(morning, dawn), C1)
    async with attacker:
        square = Square(offices, attacker, speaker, recording.samples, schedule, signed, station=recording.station)
        await square.retain(signed, schedule)
        try:
            yield square
        finally:
            await speaker.close()
