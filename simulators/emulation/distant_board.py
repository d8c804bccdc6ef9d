"""Our end of a board's door: the world around an agent that runs elsewhere.

Its horn is heard here, its buttons are pressed here, and what it knows is told here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from edge.core.clock_trust import believed
from edge.core.state import AgentState
from edge.core.status import status_of
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.report import Status
from simulators.air import FOREIGN_PI, PLAN, Programmes
from simulators.emulation.frames import read_frame, write_frame
from simulators.emulation.horn import DistantHorn, wall_ms
from simulators.face import StationWeather

_PINGS: Final = 15
_OWN_RSSI, _FOREIGN_RSSI = 55, 62


class DistantBoard:
    """One board whose agent calls; it may call again after it was started anew.

    Attributes:
        horn: what was heard, on our wall clock.
        state: what the agent knew last; None while it is off.
        calls: how often it has called.
        clock_error_ms: how uncertain the time of its samples is: half the fastest round trip on the line.
    """

    def __init__(self, programmes: Programmes) -> None:
        self.horn = DistantHorn()
        self.state: AgentState | None = None
        self.calls = 0
        self.clock_error_ms = 0.0
        self._programmes = programmes
        self._station = StationWeather.ON
        self._mono_to_wall_ms = 0.0
        self._line: asyncio.StreamWriter | None = None
        self._changed = asyncio.Condition()

    async def open(self) -> int:
        """Listens on 127.0.0.1; gives the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Lets go."""
        self._server.close()
        if self._line is not None:
            self._line.transport.abort()

    @property
    def connected(self) -> bool:
        """Whether it is on the line."""
        return self._line is not None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            await read_frame(reader)
            self._send_stations(writer)
            await self._measure(reader, writer)
            self._line = writer
            self.calls += 1
            while True:
                kind, *told = await read_frame(reader)
                if kind == "heard":
                    self.horn.receive(told[0] + self._mono_to_wall_ms, told[1])
                elif kind == "state":
                    await self.know(told[0])
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
                if frame[0] == "state":
                    await self.know(frame[1])
            took_ms = wall_ms() - asked_ms
            if took_ms < fastest_ms:
                fastest_ms, self._mono_to_wall_ms = took_ms, asked_ms + took_ms / 2 - frame[2]
        self.clock_error_ms = fastest_ms / 2

    # What it knows.

    async def know(self, state: AgentState | None) -> None:
        """It told, or it is off."""
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

    # Hands and stations.

    def send(self, *frame: Any) -> None:
        """Does something to it, if it is there; see `board_door`."""
        if self._line is not None:
            write_frame(self._line, *frame)

    def set_station(self, weather: StationWeather) -> None:
        """See `PanelDevice`."""
        self._station = weather
        self.send("on_air", self._on_air())

    def _on_air(self) -> Sequence[bool]:
        own, foreign = self._station is not StationWeather.OFF, self._station is StationWeather.FOREIGN
        return [own] * len(PLAN) + [foreign] * len(PLAN)

    def _send_stations(self, writer: asyncio.StreamWriter) -> None:
        """As `simulators.air` has them."""
        own = [
            {
                "sound": sound,
                "pi": one.pi,
                "ps": one.name[:8],
                "rssi_dbuv": _OWN_RSSI,
                "frequency_khz": one.frequency_khz,
            }
            for one, sound in zip(PLAN, self._programmes.own, strict=True)
        ]
        strange = {"sound": self._programmes.foreign, "pi": FOREIGN_PI, "ps": "", "rssi_dbuv": _FOREIGN_RSSI}
        write_frame(writer, "stations", own + [strange | {"frequency_khz": one.frequency_khz} for one in PLAN])
        write_frame(writer, "on_air", self._on_air())
