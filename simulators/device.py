"""One simulated device: the real agent on a made-up board, behind a line that can be cut and a plug to be pulled.

Everything of the agent is real, down to its disk. Made up are the sound card, amplifier, microphone, tuner, buttons
and second clocks. Pulling the plug ends the agent wherever it stands, without a farewell; its disk stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from edge.app import run_agent
from edge.config import AgentConfig
from edge.core.clock_trust import believed
from edge.core.state import AgentState
from edge.core.status import status_of
from edge.ports import Clock, MediaStore, Player
from protocol.report import Status
from provisioning.controller_line import ControllerLine
from simulators.agent_face import told
from simulators.air import Air, Programmes
from simulators.board import SimBoard
from simulators.face import Face, NetworkWeather, StationWeather, TalkSource
from simulators.light_audio import LightAudio
from simulators.loop_clock import LoopClock
from simulators.machine import LatePlayer
from simulators.network import Network
from simulators.player import PyAvPlayer
from simulators.stick import Stick
from simulators.surroundings import Enrolled, Surroundings

_LISTENED_S: Final = 180
_MUTE_S: Final = 1
_log = logging.getLogger(__name__)


class SimDevice:
    """Implements `simulators.face.PanelDevice`.

    Args:
        recording: makes what the talk button's built-in recording says.

    Attributes:
        network, web: the way to the broker, and the way to the controller's web server.
        state: what the agent knew last.
    """

    def __init__(
        self, enrolled: Enrolled, surroundings: Surroundings, *, programmes: Programmes, recording: bytes = b""
    ) -> None:
        self.enrolled = enrolled
        self.device, self.place, self.name = enrolled.device, str(enrolled.place), enrolled.name
        self.full_sound = enrolled.full_sound
        self.network, self.web = Network(), Network()
        self.air = Air(programmes)
        self.powered = False
        self._hung = False
        self.state: AgentState | None = None
        self.recording = recording
        self._around = surroundings
        self._weather = NetworkWeather.UP
        self._stick = Stick(surroundings.data / "sticks" / enrolled.device)
        self._hand = asyncio.Lock()
        self._agent: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()

    async def open(self) -> None:
        """Builds the device and switches it on."""
        keep_s = _LISTENED_S if self.full_sound else _MUTE_S
        self.clock = LoopClock()
        self.board = SimBoard(self.clock, ether=self.air.ether, keep_s=keep_s, guarded=self.enrolled.guarded)
        url = urlsplit(self._around.controller_url)
        assert url.hostname is not None and url.port is not None, "addresses of the demo have both"
        http_port = await self.web.open(url.hostname, url.port)
        mqtt_port = await self.network.open(self._around.mqtt_host, self._around.mqtt_port)
        self._config = self._configured(http_port, mqtt_port)
        await self.set_power(True)

    async def close(self) -> None:
        """Takes the device down."""
        await self.set_power(False)
        await self.network.close()
        await self.web.close()

    def _configured(self, http_port: int, mqtt_port: int) -> AgentConfig:
        ca, certificate, key = self._around.papers(self.device)
        return AgentConfig(
            device=self.device,
            place=self.enrolled.place,
            controller_url=f"{urlsplit(self._around.controller_url).scheme}://127.0.0.1:{http_port}",
            mqtt_host="127.0.0.1",
            mqtt_port=mqtt_port,
            token="" if ca else self.enrolled.token,
            ca=ca,
            certificate=certificate,
            key=key,
            anchor=str(self._around.anchor),
            root=str(self._around.root or ""),
            data=str(self._around.data / self.device),
            heartbeat_ms=self._around.heartbeat_ms,
            keepalive_s=self._around.keepalive_s,
            media_reserve_mb=0,
            usb=str(self._stick.mounted),
            system_clock=False,
        )

    # The mains.

    async def set_power(self, on: bool) -> None:
        """See `PanelDevice`."""
        async with self._hand:
            if on is self.powered:
                return
            self.powered = on
            if self.board.sim_guardian is not None:
                self.board.sim_guardian.fail(not on)
            if on:
                self._start()
            elif not self._hung:
                await self._stop(NetworkWeather.CUT)
            self._hung = False

    async def set_hung(self, hung: bool) -> None:
        """See `PanelDevice`. The network learns nothing of it; who turns it off restarts the computer."""
        async with self._hand:
            if not self.powered or hung is self._hung:
                return
            self._hung = hung
            if hung:
                await self._stop(NetworkWeather.HALF_OPEN)
            else:
                self._start()

    def _start(self) -> None:
        self._set_line(self._weather)
        self.board.set_computer(True)
        player: Player = PyAvPlayer() if self.full_sound else LatePlayer()
        agent = run_agent(
            self._config,
            self.board,
            player,
            audio=None if self.full_sound else self._light_audio,
            clock=self.clock,
            observe=self._observe,
        )
        self._agent = asyncio.create_task(agent, name=self.device)
        self._agent.add_done_callback(self._ended)

    async def _stop(self, line: NetworkWeather) -> None:
        """In this order nothing is said, written or heard any more before the agent's tasks learn of their end."""
        assert self._agent is not None, "it was switched on"
        self._set_line(line)
        self.board.set_computer(False)
        self._agent.cancel()
        await asyncio.wait([self._agent])
        self.board.buttons.release_talk()
        self.state = None

    def _ended(self, agent: asyncio.Task[None]) -> None:
        if not agent.cancelled() and agent.exception() is not None:
            _log.error("the agent of %s ended: %s", self.device, agent.exception())

    def _light_audio(self, clock: Clock, store: MediaStore) -> LightAudio:
        self._light = LightAudio(clock, store)
        return self._light

    # What the agent is.

    def _observe(self, state: AgentState) -> None:
        self.state = state
        self._notified = asyncio.ensure_future(self._notify())

    async def _notify(self) -> None:
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
        state = self.state
        return None if state is None else status_of(state, believed(state.clock, self.clock.now()))

    def face(self) -> Face:
        """See `PanelDevice`."""
        guardian = self.board.sim_guardian
        known = Face(
            powered=self.powered,
            network=self._weather,
            talking=self.board.buttons.talking,
            key_turned=self.board.buttons.key_turned,
            station=self.air.weather,
            stick=self._stick.state,
            hung=self._hung,
            guardian="" if guardian is None or not self.powered else guardian.through.value,
        )
        status = self.status()
        if status is None or self.state is None:
            return known
        return told(known, self.state, status, self.board, amplified=self._amplified())

    def _amplified(self) -> bool:
        return self.board.sim_amplifier.on if self.full_sound else self._light.amplified

    @property
    def _alive(self) -> bool:
        return self.powered and not self._hung

    # Hands at the panel and around it.

    async def talk(self, source: TalkSource) -> None:
        """See `PanelDevice`."""
        if self._alive:
            self.board.sim_microphone.recording = self.recording if source is TalkSource.RECORDING else b""
            self.board.buttons.press_talk()

    async def release(self) -> None:
        """See `PanelDevice`."""
        self.board.buttons.release_talk()

    def line(self, session: aiohttp.ClientSession) -> ControllerLine:
        """The controller as this device sees it, past its weather."""
        return self._around.line(session, self.enrolled)

    @property
    def slot(self) -> Path:
        """Where a stick is put in."""
        return self._stick.mounted

    def hear_voice(self, frame: bytes) -> None:
        """See `PanelDevice`."""
        self.board.sim_microphone.hear(frame)

    def turn_key(self, on: bool) -> None:
        """See `PanelDevice`."""
        self.board.buttons.key_turned = on

    async def press_stop(self) -> None:
        """See `PanelDevice`."""
        if self._alive:
            self.board.buttons.press_stop()

    async def press_message(self, number: int) -> None:
        """See `PanelDevice`."""
        if self._alive:
            self.board.buttons.press_message(number)

    async def set_network(self, weather: NetworkWeather) -> None:
        """See `PanelDevice`."""
        self._weather = weather
        if self._alive:
            self._set_line(weather)

    def _set_line(self, weather: NetworkWeather) -> None:
        acts = {
            NetworkWeather.UP: Network.restore,
            NetworkWeather.CUT: Network.cut,
            NetworkWeather.HALF_OPEN: Network.half_open,
        }
        for line in (self.network, self.web):
            acts[weather](line)

    def set_station(self, weather: StationWeather) -> None:
        """See `PanelDevice`."""
        self.air.become(weather)

    async def plug_stick(self) -> None:
        """See `PanelDevice`."""
        await self._stick.plug(self.enrolled, self._around)

    @contextmanager
    def listen(self) -> Iterator[AsyncIterator[bytes]]:
        """See `PanelDevice`."""
        yield self.board.horn.frames()
