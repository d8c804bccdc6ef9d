"""A device of the story that is a whole emulated computer. It stands where a `SimDevice` stands.

What the story asks of a device is asked of what can be seen from outside: samples of the horn on our wall clock, what
the agent knows (told through the board's door), and the controller. Cutting its network and pulling its plug are done
to the emulated computer's lines and power, not to the agent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiohttp

from edge.core.clock_trust import believed
from edge.core.state import AgentState
from edge.core.status import status_of
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.report import Status
from provisioning.controller_line import ControllerLine
from simulators.air import FOREIGN_PI, PLAN, Programmes
from simulators.emulation.computer import HOST, Computer
from simulators.emulation.distant_hand import DistantHand
from simulators.emulation.enrolment import write_enrolment
from simulators.emulation.frames import read_frame, write_frame
from simulators.emulation.horn import DistantHorn, wall_ms
from simulators.face import NetworkWeather, StationWeather, TalkSource
from simulators.network import Network
from simulators.surroundings import Enrolled, Surroundings

READY_S_MAX: Final = 300.0
SPARE_PORT: Final = 9
_LATE_MS: Final = 300
"""So long after it was heard a sample has certainly arrived here."""
_PINGS: Final = 15
_LOOK_S: Final = 0.3
_OWN_RSSI, _FOREIGN_RSSI = 55, 62
_log = logging.getLogger(__name__)


class _LateClock:
    """Implements what an ear needs of a clock: the instant up to which everything has arrived."""

    def now(self) -> Now:
        wall = WallMs(round(wall_ms()) - _LATE_MS)
        return Now(MonoMs(wall), wall, ClockTrust.AGREED)


class _Board:
    def __init__(self) -> None:
        self.horn = DistantHorn()


class EmulatedDevice:
    """See `simulators.device.SimDevice`, whose place it takes.

    Attributes:
        computer: the emulated machine.
        hand: runs commands inside as root, for what only an image has.
        clock_error_ms: how uncertain the time of its samples is: half the fastest round trip on the line.
    """

    full_sound = True

    def __init__(
        self, enrolled: Enrolled, surroundings: Surroundings, *, built: Path, recording: bytes = b""
    ) -> None:
        self.enrolled, self._around, self._built = enrolled, surroundings, built
        self.device, self.place, self.name = enrolled.device, str(enrolled.place), enrolled.name
        self.network, self.web = Network(), Network()
        self.board, self.clock = _Board(), _LateClock()
        self.hand = DistantHand()
        self.recording = recording
        self.state: AgentState | None = None
        self.clock_error_ms = 0.0
        self.connections = 0
        self._programmes: Programmes | None = None
        self._station = StationWeather.ON
        self._mono_to_wall_ms = 0.0
        self._line: asyncio.StreamWriter | None = None
        self._changed = asyncio.Condition()
        self._directory = surroundings.data / f"{enrolled.device}-computer"
        self.slot = self._directory / "slot"
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, programmes: Programmes, *, time_port: int, spare_port: int = 0) -> float:
        """Writes its card, switches it on and waits for its agent; gives the seconds from power to READY.

        Args:
            spare_port: of our loopback; leads to SPARE_PORT inside.
        """
        self._programmes = programmes
        self._door = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        hand_port = await self.hand.open()
        enrolment = await write_enrolment(
            self._directory / "loalang",
            self.enrolled,
            self._around,
            lines=(self.web, self.network),
            time_port=time_port,
        )
        door_port = self._door.sockets[0].getsockname()[1]
        environment = {"LOALANG_DOOR": f"{HOST}:{door_port}", "LOALANG_HAND": f"{HOST}:{hand_port}"}
        self.spare_port = spare_port
        forwards = {spare_port: SPARE_PORT} if spare_port else {}
        self.computer = Computer(self._built, self._directory, environment=environment, forwards=forwards)
        await self.computer.insert_card(enrolment)
        self._tasks.append(asyncio.create_task(self._watch_slot(), name="slot"))
        return await self.power_on()

    async def close(self) -> None:
        """Off."""
        for task in self._tasks:
            task.cancel()
        await self.computer.stop()
        self._door.close()
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

    async def ready(self, *, within_s: float, line: int = 0) -> None:
        """Returns when systemd counts the agent as started and its board has called for more than `line` times."""
        async with asyncio.timeout(within_s):
            while True:
                _, state = await self.hand.run("systemctl show -P ActiveState loalang-agent.service")
                if state.strip() == "active" and self._line is not None and self.connections > line:
                    return
                await asyncio.sleep(_LOOK_S)

    async def set_power(self, on: bool) -> None:
        """See `PanelDevice`."""
        if on:
            await self.power_on()
        else:
            self.computer.power_off()
            await self.computer.gone()
            await self._know(None)

    # What it tells.

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            await read_frame(reader)
            self._send_stations(writer)
            await self._measure(reader, writer)
            self._line = writer
            self.connections += 1
            while True:
                await self._take(*await read_frame(reader))
        if self._line is writer:
            self._line = None
        writer.transport.abort()

    async def _measure(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """How its monotonic time lies to our wall clock: by the fastest of some round trips."""
        fastest_ms = float("inf")
        for number in range(_PINGS):
            asked_ms = wall_ms()
            write_frame(writer, "ping", number)
            while (frame := await read_frame(reader))[:2] != ("pong", number):
                pass
            took_ms = wall_ms() - asked_ms
            if took_ms < fastest_ms:
                fastest_ms, self._mono_to_wall_ms = took_ms, asked_ms + took_ms / 2 - frame[2]
        self.clock_error_ms = fastest_ms / 2

    async def _take(self, kind: str, *told: Any) -> None:
        if kind == "heard":
            self.board.horn.receive(told[0] + self._mono_to_wall_ms, told[1])
        elif kind == "state":
            await self._know(told[0])

    async def _know(self, state: AgentState | None) -> None:
        self.state = state
        async with self._changed:
            self._changed.notify_all()

    async def wait_state(self, holds: Callable[[AgentState], bool], *, within_s: float) -> AgentState:
        """The first state that fulfils a condition. Raises TimeoutError."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: self.state is not None and holds(self.state))
        assert self.state is not None, "a state fulfilled the condition"
        return self.state

    def status(self) -> Status | None:
        """What the agent would tell now."""
        if self.state is None:
            return None
        now = Now(MonoMs(round(wall_ms() - self._mono_to_wall_ms)), WallMs(round(wall_ms())), ClockTrust.NONE)
        return status_of(self.state, believed(self.state.clock, now))

    # Hands at the panel and around it.

    def _send(self, *frame: Any) -> None:
        if self._line is not None:
            write_frame(self._line, *frame)

    async def talk(self, source: TalkSource) -> None:
        """See `PanelDevice`."""
        self._send("talk", self.recording if source is TalkSource.RECORDING else b"")

    async def release(self) -> None:
        """See `PanelDevice`."""
        self._send("release")

    def turn_key(self, on: bool) -> None:
        """See `PanelDevice`."""
        self._send("key", on)

    async def press_stop(self) -> None:
        """See `PanelDevice`."""
        self._send("stop")

    def set_station(self, weather: StationWeather) -> None:
        """See `PanelDevice`."""
        self._station = weather
        self._send("on_air", self._on_air())

    def _on_air(self) -> Sequence[bool]:
        own, foreign = self._station is not StationWeather.OFF, self._station is StationWeather.FOREIGN
        return [own] * len(PLAN) + [foreign] * len(PLAN)

    def _send_stations(self, writer: asyncio.StreamWriter) -> None:
        """As `simulators.air` has them."""
        assert self._programmes is not None, "it was opened"
        own = [
            {
                "frequency_khz": one.frequency_khz,
                "sound": sound,
                "pi": one.pi,
                "ps": one.name[:8],
                "rssi_dbuv": _OWN_RSSI,
            }
            for one, sound in zip(PLAN, self._programmes.own, strict=True)
        ]
        strange = {"sound": self._programmes.foreign, "pi": FOREIGN_PI, "ps": "", "rssi_dbuv": _FOREIGN_RSSI}
        write_frame(writer, "stations", own + [strange | {"frequency_khz": one.frequency_khz} for one in PLAN])
        write_frame(writer, "on_air", self._on_air())

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


def _files(directory: Path) -> dict[str, bytes]:
    """A stick of the story has a handful of small files."""
    with suppress(OSError):
        return {one.name: one.read_bytes() for one in directory.iterdir() if one.is_file()}
    return {}
