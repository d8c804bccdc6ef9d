"""A device of the story that is a whole emulated computer. It stands where a `SimDevice` stands.

What the story asks of a device is asked of what can be seen from outside: samples of the horn on our wall clock, what
the agent knows (told through the board's door), and the controller. Cutting its network and pulling its plug are done
to the emulated computer's lines and power, not to the agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import aiohttp

from edge.core.state import AgentState
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.report import Status
from provisioning.controller_line import ControllerLine
from simulators.air import Programmes
from simulators.emulation.computer import HOST, Computer
from simulators.emulation.distant_board import DistantBoard
from simulators.emulation.distant_hand import DistantHand
from simulators.emulation.enrolment import write_enrolment
from simulators.emulation.horn import wall_ms
from simulators.face import NetworkWeather, StationWeather, TalkSource
from simulators.network import Network
from simulators.story.steps import check
from simulators.surroundings import Enrolled, Surroundings

READY_S_MAX: Final = 300.0
SPARE_PORT: Final = 9
_LATE_MS: Final = 300
"""So long after it was heard a sample has certainly arrived here."""
_JOURNAL_S_MAX: Final = 30
_LOOK_S: Final = 0.3


class _LateClock:
    """Implements what an ear needs of a clock: the instant up to which everything has arrived."""

    def now(self) -> Now:
        wall = WallMs(round(wall_ms()) - _LATE_MS)
        return Now(MonoMs(wall), wall, ClockTrust.AGREED)


class EmulatedDevice:
    """See `simulators.device.SimDevice`, whose place it takes.

    Attributes:
        computer: the emulated machine.
        hand: runs commands inside as root, for what only an image has.
        board: hands, stations and ears.
    """

    full_sound = True

    def __init__(
        self,
        enrolled: Enrolled,
        surroundings: Surroundings,
        *,
        programmes: Programmes,
        built: Path,
        recording: bytes = b"",
    ) -> None:
        self.enrolled, self._around, self._built = enrolled, surroundings, built
        self.device, self.place, self.name = enrolled.device, str(enrolled.place), enrolled.name
        self.network, self.web = Network(), Network()
        self.board, self.clock = DistantBoard(programmes), _LateClock()
        self.hand = DistantHand()
        self.recording = recording
        self._directory = surroundings.data / f"{enrolled.device}-computer"
        self.slot = self._directory / "slot"
        self.journal = self._directory / "journal.txt"
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, *, time_port: int, spare_port: int = 0) -> float:
        """Writes its card, switches it on and waits for its agent; gives the seconds from power to READY."""
        await self.lay_card(time_port=time_port, spare_port=spare_port)
        return await self.power_on()

    async def lay_card(self, *, time_port: int, spare_port: int = 0) -> None:
        """Writes its card and lays lines to it; it has no power yet.

        Args:
            spare_port: of our loopback; leads to SPARE_PORT inside.
        """
        door_port, hand_port = await self.board.open(), await self.hand.open()
        enrolment = await write_enrolment(
            self._directory / "loalang",
            self.enrolled,
            self._around,
            lines=(self.web, self.network),
            time_port=time_port,
        )
        environment = {"LOALANG_DOOR": f"{HOST}:{door_port}", "LOALANG_HAND": f"{HOST}:{hand_port}"}
        self.spare_port = spare_port
        forwards = {spare_port: SPARE_PORT} if spare_port else {}
        self.computer = Computer(self._built, self._directory, environment=environment, forwards=forwards)
        await self.computer.insert_card(enrolment)
        self._tasks.append(asyncio.create_task(self._watch_slot(), name="slot"))

    async def close(self) -> None:
        """Off."""
        for task in self._tasks:
            task.cancel()
        await self.computer.stop()
        self.board.close()
        await self.hand.close()
        for line in (self.network, self.web):
            await line.close()

    # The mains.

    async def power_on(self) -> float:
        """Seconds from power to READY=1. Raises TimeoutError."""
        began_ms = wall_ms()
        await self.computer.power_on()
        try:
            await self.ready(within_s=READY_S_MAX)
        except TimeoutError as error:
            raise TimeoutError(f"the agent is not ready:\n{self.computer.complaint()}") from error
        return (wall_ms() - began_ms) / 1000

    async def ready(self, *, within_s: float, calls: int = 0) -> None:
        """Returns when systemd counts the agent as started and its board has called for more than `calls` times."""
        async with asyncio.timeout(within_s):
            while True:
                _, state = await self.hand.run("systemctl show -P ActiveState loalang-agent.service")
                if state.strip() == "active" and self.board.connected and self.board.calls > calls:
                    return
                await asyncio.sleep(_LOOK_S)

    async def set_power(self, on: bool) -> None:
        """See `PanelDevice`."""
        if on:
            await self.power_on()
        else:
            self.computer.power_off()
            await self.computer.gone()
            await self.board.know(None)

    async def said(self, command: str) -> str:
        """Output of a command inside that must succeed. Raises StoryError."""
        code, output = await self.hand.run(command)
        check(code == 0, f"{command!r} ended with {code}: {output.strip()[-300:]}")
        return output.strip()

    async def until_said(self, command: str, words: str, *, within_s: float = 60.0) -> None:
        """Asks again until a command inside says these words. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                if (await self.hand.run(command))[1].strip() == words:
                    return
                await asyncio.sleep(_LOOK_S)

    async def keep_journal(self) -> None:
        """Adds to a file what its system wrote since it booted, which it keeps in memory only."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_JOURNAL_S_MAX):
                _, journal = await self.hand.run("journalctl -q --no-pager -o short-precise")
                await asyncio.to_thread(_append, self.journal, journal)

    # What it tells.

    async def wait_state(self, holds: Callable[[AgentState], bool], *, within_s: float) -> AgentState:
        """The first state that fulfils a condition. Raises TimeoutError."""
        return await self.board.wait_state(holds, within_s=within_s)

    def status(self) -> Status | None:
        """What the agent would tell now."""
        return self.board.status()

    # Hands at the panel and around it.

    async def talk(self, source: TalkSource) -> None:
        """See `PanelDevice`."""
        self.board.send("talk", self.recording if source is TalkSource.RECORDING else b"")

    async def release(self) -> None:
        """See `PanelDevice`."""
        self.board.send("release")

    def turn_key(self, on: bool) -> None:
        """See `PanelDevice`."""
        self.board.send("key", on)

    async def press_stop(self) -> None:
        """See `PanelDevice`."""
        self.board.send("stop")

    def set_station(self, weather: StationWeather) -> None:
        """See `PanelDevice`."""
        self.board.set_station(weather)

    async def set_network(self, weather: NetworkWeather) -> None:
        """See `PanelDevice`."""
        acts = {
            NetworkWeather.UP: Network.restore,
            NetworkWeather.CUT: Network.cut,
            NetworkWeather.HALF_OPEN: Network.half_open,
        }
        for line in (self.network, self.web):
            acts[weather](line)

    def line(self, session: aiohttp.ClientSession) -> ControllerLine:
        """The controller as this device sees it, past its weather."""
        return self._around.line(session, self.enrolled)

    async def _watch_slot(self) -> None:
        """What is laid into the slot's directory comes to the computer as a USB stick."""
        known: dict[str, bytes] = {}
        while True:
            await asyncio.sleep(_LOOK_S)
            found = await asyncio.to_thread(_files, self.slot)
            if found == known or not found or found != await asyncio.to_thread(_files, self.slot):
                continue
            known = found
            await self.computer.plug_stick(self.slot)


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _files(directory: Path) -> dict[str, bytes]:
    """A stick of the story has a handful of small files."""
    with suppress(OSError):
        return {one.name: one.read_bytes() for one in directory.iterdir() if one.is_file()}
    return {}
