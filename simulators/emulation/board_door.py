"""Inside the emulated computer: a simulated board whose world is outside, at the far end of a line.

`"board": "simulators.emulation.board_door:make_board"` in its device.json. Outward go the samples of the horn with
the monotonic time at which they were heard, and what the agent knows; inward come hands, stations and a voice. The
agent neither waits for the line nor notices it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from edge.config import AgentConfig
from edge.core.state import AgentState
from hardware.vlc_player import VlcPlayer
from hardware.vlc_source import Patience
from simulators.board import SimBoard
from simulators.emulation.frames import read_frame, write_frame
from simulators.fm_station import SimEther, SimStation
from simulators.loop_clock import LoopClock

_KEEP_S: Final = 8
_SEND_S: Final = 0.1
_AGAIN_S: Final = 0.2
_log = logging.getLogger(__name__)


def make_board(config: AgentConfig) -> SimBoard:
    """The board, with its door open."""
    clock = LoopClock()
    own = [SimStation(0, bytes(2), on_air=False) for _ in range(4)]
    board = SimBoard(clock, ether=SimEther(*own), keep_s=_KEEP_S)
    # The operating system's own sources are asked: chrony and the clock chip of the emulated computer.
    board.time_sources.error_ms.clear()
    door = _Door(board, clock, own, device=config.device)
    _watch_agent(door.observe)
    door.task = asyncio.ensure_future(door.run())
    return board


def make_player() -> VlcPlayer:
    """The real player. Its child needs many times as long to start here as on a board: qemu translates every step."""
    return VlcPlayer(file_patience=Patience(first_s=60.0, later_s=15.0, ahead_frames=125))


def _watch_agent(observe: Callable[[AgentState], None]) -> None:
    """`python -m edge` tells its states to nobody outside; so that it need not, its call is wrapped here."""
    program: Any = sys.modules["__main__"]
    run_agent = program.run_agent

    def watched(*arguments: Any, observe_also: Callable[[AgentState], None] = observe, **named: Any) -> Any:
        told = named.pop("observe", lambda _: None)

        def both(state: AgentState) -> None:
            told(state)
            observe_also(state)

        return run_agent(*arguments, observe=both, **named)

    program.run_agent = watched


class _Door:
    """Keeps the line, and does what comes through it."""

    def __init__(self, board: SimBoard, clock: LoopClock, stations: Sequence[SimStation], *, device: str) -> None:
        self._board, self._clock, self._device = board, clock, device
        self._stations = stations
        self._state: AgentState | None = None
        self.task: asyncio.Future[None] | None = None

    def observe(self, state: AgentState) -> None:
        """The newest is told when the line has time."""
        self._state = state

    async def run(self) -> None:
        """For ever."""
        host, _, port = os.environ["LOALANG_DOOR"].rpartition(":")
        while True:
            with suppress(OSError, EOFError):
                await self._serve(*await asyncio.open_connection(host, int(port)))
            await asyncio.sleep(_AGAIN_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        write_frame(writer, "hello", self._device)
        telling = asyncio.ensure_future(self._tell(writer))
        try:
            while True:
                self._obey(writer, *await read_frame(reader))
        finally:
            telling.cancel()
            writer.transport.abort()

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        told: AgentState | None = None
        horn = self._board.horn
        heard_ms = horn.heard().ended_ms
        while True:
            await asyncio.sleep(_SEND_S)
            heard = horn.heard(heard_ms)
            heard_ms = heard.ended_ms
            samples = heard.samples if any(heard.samples) else len(heard.samples) // 2
            write_frame(writer, "heard", heard.began_ms - self._clock.offset_ms, samples)
            if self._state is not told:
                told = self._state
                write_frame(writer, "state", told)
            await writer.drain()

    def _obey(self, writer: asyncio.StreamWriter, kind: str, *given: Any) -> None:
        buttons = self._board.buttons
        match kind:
            case "ping":
                write_frame(writer, "pong", given[0], self._clock.exact_mono_ms())
            case "talk":
                self._board.sim_microphone.recording = given[0]
                buttons.press_talk()
            case "release":
                buttons.release_talk()
            case "key":
                buttons.key_turned = given[0]
            case "stop":
                buttons.press_stop()
            case "stations":
                self._tune_in(*given)
            case "on_air":
                for station, on in zip(self._stations, given[0], strict=True):
                    station.on_air = on
            case _:
                _log.warning("the door does not know %r", kind)

    def _tune_in(self, stations: Sequence[dict[str, Any]]) -> None:
        for station, told in zip(self._stations, stations, strict=True):
            for name, value in told.items():
                setattr(station, name, value)
