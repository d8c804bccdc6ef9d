"""A whole agent on this machine: real broker, real web server, real disk, simulated board."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiomqtt
import pytest
from aiohttp import web

from edge.adapters.notify import Notify
from edge.app import run_agent
from edge.config import AgentConfig, ConfigError, read_config
from edge.core.output import AlertOutput
from edge.core.state import AgentState
from hardware.interfaces import Glow, LampStates
from hardware.interfaces import Part as BoardPart
from protocol import codec
from protocol.alert import Alert, Part
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.parcel import pack_parcel
from protocol.report import FaultCode, Receipt, Standing
from protocol.topics import unit_topic
from simulators.board import SimBoard
from simulators.light_audio import LightAudio
from simulators.loop_clock import LoopClock
from simulators.machine import LatePlayer
from tests.contracts import broker as brokers
from tests.edge.core.office import (
    ANCHOR,
    COMMUNE,
    COMMUNE_KEY,
    attestation,
    grant_of,
    sign_document,
    sign_grant,
)

pytestmark = pytest.mark.slow
PLACE = brokers.PLACE


class Village:
    """One agent and its controller's answers."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.states: list[AgentState] = []
        self.changed = asyncio.Condition()
        self.mqtt_port = self.http_port = 1

    def config(self) -> AgentConfig:
        (self.directory / "anchor.json").write_bytes(codec.encode(ANCHOR))
        settings = {
            "device": "dev-c07",
            "place": PLACE,
            "controller_url": f"http://127.0.0.1:{self.http_port}",
            "mqtt_host": "127.0.0.1",
            "mqtt_port": self.mqtt_port,
            "token": "secret",
            "system_clock": False,
            "media_reserve_mb": 0,
            "board": "simulators.machine:make_board",
            "player": "simulators.machine:make_player",
        }
        (self.directory / "device.json").write_text(json.dumps(settings))
        return read_config(self.directory / "device.json")

    def observe(self, state: AgentState) -> None:
        self.states.append(state)
        asyncio.get_running_loop().create_task(self._notify())

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def wait_state(self, holds: Callable[[AgentState], bool]) -> AgentState:
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(lambda: bool(self.states) and holds(self.states[-1]))
        return self.states[-1]

    @contextlib.asynccontextmanager
    async def running(self, *, notify: Notify | None = None) -> AsyncIterator[SimBoard]:
        clock = LoopClock()
        board = SimBoard(clock)
        self.states.clear()
        agent = run_agent(
            self.config(),
            board,
            LatePlayer(),
            audio=LightAudio,
            clock=clock,
            observe=self.observe,
            notify=notify,
        )
        task = asyncio.create_task(agent)
        try:
            await self.wait_state(lambda _: True)
            yield board
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def village(tmp_path: Path) -> Village:
    return Village(tmp_path)


@pytest.fixture
async def http(village: Village) -> AsyncIterator[None]:
    async def attest(request: web.Request) -> web.Response:
        nonce = (await request.json())["nonce"]
        return web.Response(body=attestation(nonce, int(time.time() * 1000)))

    async def documents(request: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/device/v1/attest", attest)
    app.router.add_get("/device/v1/documents", documents)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    village.http_port = runner.addresses[0][1]
    yield
    await runner.cleanup()


@pytest.fixture(params=brokers.PLAIN)
async def mqtt(request: pytest.FixtureRequest, village: Village, tmp_path: Path) -> AsyncIterator[aiomqtt.Client]:
    async with (
        brokers.running(request.param, tmp_path) as broker,
        aiomqtt.Client("127.0.0.1", broker.port, identifier="controller") as client,
    ):
        village.mqtt_port = broker.port
        yield client


def alert() -> Alert:
    wall = WallMs(int(time.time() * 1000))
    return Alert(
        scope=COMMUNE,
        id="alert-1",
        sequence=1,
        issued=wall,
        expires=WallMs(wall + 600_000),
        severity=3,
        targets=(COMMUNE,),
        parts=(Part("vi", "Nước lên nhanh."),),
    )


def sounds_alert(state: AgentState) -> bool:
    return isinstance(state.sound.output, AlertOutput) and state.sound.started == state.sound.output.key


async def receipts(client: aiomqtt.Client) -> AsyncIterator[Receipt]:
    async with asyncio.timeout(10):
        async for message in client.messages:
            if message.topic.value.endswith("/receipt"):
                yield codec.decode(Receipt, message.payload, bytes_max=10_000)


async def test_alert_over_the_broker_sounds(village: Village, mqtt: aiomqtt.Client, http: None) -> None:
    grant = sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,)))
    await mqtt.publish(unit_topic(COMMUNE, "doc"), pack_parcel(COMMUNE, (grant,)), qos=1, retain=True)
    await mqtt.subscribe("loalang/v1/d/dev-c07/up/#", qos=1)
    envelope = sign_document(Kind.ALERT, alert(), COMMUNE_KEY)
    async with village.running():
        await village.wait_state(lambda state: bool(state.trust.grants) and state.clock.attested is not None)
        await mqtt.publish(unit_topic(COMMUNE, "alert"), envelope.pack(), qos=1)
        await village.wait_state(sounds_alert)
        standings = []
        async for receipt in receipts(mqtt):
            standings.append(receipt.standing)
            if receipt.standing is Standing.SOUNDING:
                break
    assert standings[0] is Standing.RECEIVED

    village.mqtt_port = village.http_port = 1
    async with village.running():
        state = await village.wait_state(lambda state: bool(state.trust.documents))
        assert not state.state_damaged


async def test_agent_boots_without_network(village: Village) -> None:
    async with village.running() as board:
        board.buttons.press_talk()
        state = await village.wait_state(lambda state: state.talk is not None)
        assert state.link_up is False


async def test_lamps_answer_a_button_and_a_sick_part(village: Village) -> None:
    async with village.running() as board:
        assert board.sim_lamps.states == LampStates(Glow.OFF, Glow.BLINK, Glow.OFF)
        board.sim_watch.judge(BoardPart.SPEAKER_LINE, healthy=False, detail="12 ohm, 31 expected")
        await village.wait_state(lambda state: FaultCode.LINE_FAULT in state.faults)
        assert board.sim_lamps.states.fault is Glow.ON
        board.buttons.press_message(2)
        await village.wait_state(lambda state: FaultCode.MESSAGE_MISSING in state.faults)
        assert board.sim_lamps.states.fault is Glow.BLINK


async def test_service_manager_is_fed(village: Village, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        notify = Notify(str(tmp_path / "notify"), watchdog_s=1.5)
        async with village.running(notify=notify):
            said = b""
            async with asyncio.timeout(10):
                while b"WATCHDOG=1" not in said:
                    said += await asyncio.get_running_loop().sock_recv(manager, 1000)
    assert (village.directory / "data" / "touched").exists()


async def test_second_agent_on_the_same_data_is_refused(village: Village) -> None:
    async with village.running():
        with pytest.raises(ConfigError, match="another agent"):
            await run_agent(village.config(), SimBoard(LoopClock()), LatePlayer(), audio=LightAudio)


async def test_agent_ends_promptly(village: Village) -> None:
    async with village.running():
        began = time.monotonic()
    assert time.monotonic() - began < 3


def test_process_starts_and_ends(village: Village) -> None:
    village.config()
    command = [sys.executable, "-m", "edge", "--config", str(village.directory / "device.json")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "no link to the broker" in line:
                break
        os.kill(process.pid, signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 0
    assert "Traceback" not in rest


def test_process_names_a_wrong_setting(village: Village) -> None:
    (village.directory / "device.json").write_text('{"devise": "x"}')
    command = [sys.executable, "-m", "edge", "--config", str(village.directory / "device.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "did you mean 'device'?" in done.stderr) == (2, True)
