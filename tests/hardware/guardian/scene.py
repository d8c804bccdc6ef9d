"""A village square: a computer that plays a programme through the guardian's relay, stations in the air, ears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from edge.ports import FRAME_BYTES
from hardware.guardian_link import GuardianLink
from hardware.interfaces import GuardPlan, GuardStation, GuardWindow
from protocol.clock import WallMs
from simulators.fm_station import SimEther, SimStation
from simulators.guardian_horn import Through
from simulators.guardian_node import KEY, GuardianNode
from simulators.listening import find, longest_silence_ms
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from simulators.sound_card import SimSoundCard
from tests.contracts.guardian.pulse import Pulse

SECOND: Final = 1000
HOUR: Final = 3600 * SECOND
THREE_AT_NIGHT: Final = 1_800_000_000_000 - 1_800_000_000_000 % (24 * HOUR) - 4 * HOUR
"""03:00 in Viet Nam."""
FIRST_KHZ, SECOND_KHZ = 99_900, 103_500
FIRST_PI, SECOND_PI, FOREIGN_PI = "A201", "A202", "3F5A"
PROGRAMME: Final = melody(8, duration_ms=20_000)
FIRST, SECOND_SONG, FOREIGN = (melody(seed, duration_ms=5000) for seed in (2, 3, 99))


class Scene:
    """The square.

    Attributes:
        stations: the two of the plan.
    """

    def __init__(self, clock: LoopClock, node: GuardianNode, ether: SimEther) -> None:
        self.clock, self.node, self.ether = clock, node, ether
        self.stations = tuple(ether.stations)
        self.link = GuardianLink(node.open, KEY)
        self.pulse = Pulse(self.link, clock)
        self._playing: asyncio.Task[None] | None = None

    # The computer.

    async def boot(self) -> None:
        """The computer begins to live and to play; returns when it is heard."""
        self.link = GuardianLink(self.node.open, KEY)
        self.pulse = Pulse(self.link, self.clock)
        await self.link.__aenter__()
        self.pulse.start()
        self._playing = asyncio.create_task(self._play())
        async with asyncio.timeout(10):
            while self.node.through is not Through.COMPUTER:
                await asyncio.sleep(0.02)
        await self.link.want(amplifier=True)
        await asyncio.sleep(1)

    async def arm(self, *, begin: int = -HOUR, end: int = HOUR, version: int = 1, empty: bool = False) -> None:
        """The guardian gets a plan whose one window lies so far from now."""
        now = self.clock.now().wall
        windows = () if empty else (GuardWindow(now + begin, now + end),)
        stations = (GuardStation(FIRST_KHZ, FIRST_PI), GuardStation(SECOND_KHZ, SECOND_PI))
        await self.link.arm(GuardPlan(version, windows, stations))

    async def hang(self) -> float:
        """The computer proves nothing any more, but its sound goes on. Returns when it last beat, by the wall."""
        await self.pulse.stop()
        return self.pulse.last_ms + self.clock.offset_ms

    async def die(self) -> float:
        """Nothing of the computer is left."""
        last = await self.hang()
        await self.link.__aexit__()
        await self.fall_silent()
        return last

    async def fall_silent(self) -> None:
        """The programme ends."""
        if self._playing is not None:
            self._playing.cancel()
            await asyncio.wait([self._playing])
            self._playing = None

    async def close(self) -> None:
        """The end."""
        await self.die()

    async def _play(self) -> None:
        card = SimSoundCard(self.clock, self.node.horn)
        at = 0
        while True:
            await card.write(PROGRAMME[at : at + FRAME_BYTES])
            at = (at + FRAME_BYTES) % len(PROGRAMME)

    # The ears.

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @property
    def now(self) -> float:
        return self.clock.exact_mono_ms() + self.clock.offset_ms

    def hears(self, sound: bytes, begin: float, end: float) -> bool:
        """Whether all of that time sounds of this, second by second."""
        starts = [begin + SECOND * count for count in range(max(1, int((end - begin) / SECOND)))]
        return all(self._is(sound, start, min(start + SECOND, end)) for start in starts)

    def _is(self, sound: bytes, begin: float, end: float) -> bool:
        heard = self.node.horn.heard(begin, end).samples
        return any(heard) and find(heard, sound + sound[:200_000]).correlation > 0.9

    def hears_nothing(self, begin: float, end: float) -> bool:
        """Whether every sample of that time is zero."""
        return not any(self.node.horn.heard(begin, end).samples)

    def silence_ms(self, begin: float, end: float) -> float:
        """The longest silence within that time."""
        return longest_silence_ms(self.node.horn.heard(begin, end), begin, end)

    def moved(self, through: Through, since: float) -> float | None:
        """When the relay first went there after that time."""
        times = [at + self.clock.offset_ms for at, where in self.node.moves if where is through]
        return next((at for at in times if at >= since), None)


@asynccontextmanager
async def square(*, chip: bool = False, wall_ms: int = THREE_AT_NIGHT) -> AsyncIterator[Scene]:
    """The guardian has power; the computer does not live yet."""
    clock = LoopClock(wall=WallMs(wall_ms))
    ether = SimEther(
        SimStation(FIRST_KHZ, FIRST, pi=FIRST_PI, ps="DAI 1"),
        SimStation(SECOND_KHZ, SECOND_SONG, pi=SECOND_PI, ps="DAI 2"),
    )
    async with GuardianNode(clock, ether=ether, chip_wall_ms=wall_ms if chip else None) as node:
        scene = Scene(clock, node, ether)
        try:
            yield scene
        finally:
            await scene.close()
