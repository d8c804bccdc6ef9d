"""A town of processes that are there to be killed: controller, broker, and a crowd of agents, on 127.0.0.1.

Each can be killed with SIGKILL and started again on what it left. The broker is mosquitto with the settings that
`controller.broker` describes, or the one within the controller, which dies with it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from protocol.bulletin import MediaRef
from protocol.envelope import Envelope
from simulators.child import Child, ChildError, free_ports
from simulators.real_town import HERE, MOSQUITTO
from simulators.town_office import TownOffice, hand_in, place_of, token_of

_ANSWERS_S_MAX: Final = 20.0
_SETTINGS: Final = """persistence true
persistence_location {directory}/
autosave_interval 1
persistent_client_expiration 30d
max_packet_size 1100000
max_queued_messages 200
set_tcp_nodelay true
log_type error
user root
listener {port} 127.0.0.1
allow_anonymous true
"""


class Program(Child):
    """A program that is none of our modules."""

    def __init__(self, name: str, command: list[str], *, log: Path) -> None:
        super().__init__(name, [], log=log)
        self._arguments = command


@dataclass(slots=True)
class KillTown:
    """See `open_kill_town`.

    Attributes:
        broker: None for the one within the controller.
    """

    directory: Path
    names: tuple[str, ...]
    office: TownOffice
    origin: str
    mqtt_port: int
    controller: Child
    agents: Child
    broker: Child | None
    session: aiohttp.ClientSession

    @property
    def database(self) -> Path:
        """The controller's."""
        return self.office.data / "controller.db"

    def data_of(self, name: str) -> Path:
        """A device's directory."""
        return self.directory / name / "data"

    def victims(self) -> dict[str, Child]:
        """By what they are called in the figures."""
        found = {"agent": self.agents, "controller": self.controller}
        return found if self.broker is None else {**found, "broker": self.broker}

    async def start(self, victim: Child) -> None:
        """Starts a process, the first time or again; returns when it answers. Raises ChildError: it does not."""
        await victim.start()
        if victim is self.controller:
            await victim.healthy(f"{self.origin}/health", within_s=_ANSWERS_S_MAX)
        elif victim is self.broker:
            await _listening(victim, self.mqtt_port)

    async def hand_in(self, *envelopes: Envelope) -> bool:
        """Whether the controller acknowledged them. Raises RuntimeError: it refuses one."""
        try:
            async with asyncio.timeout(_ANSWERS_S_MAX):
                await hand_in(self.session, self.origin, *envelopes)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        return True


@asynccontextmanager
async def open_kill_town(
    directory: Path, *, devices: int, embedded: bool, agent_words: Sequence[str] = ()
) -> AsyncIterator[KillTown]:
    """Runs it until the block ends.

    Args:
        agent_words: further words for the agents' command.

    Raises:
        ChildError: one of them does not start.
        RuntimeError: mosquitto is not installed.
    """
    mqtt, http = free_ports(2)
    names = tuple(f"loa-{number}" for number in range(devices))
    office = TownOffice(directory / "controller", names, secure=False)
    await office.furnish()
    arguments = ["controller", "--data", str(office.data), "--port", str(http)]
    arguments += ["--mqtt-port", str(mqtt)] if embedded else ["--broker", f"mqtt://{HERE}:{mqtt}"]
    files = [_device_file(directory, office, name, mqtt=mqtt, http=http) for name in names]
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        town = KillTown(
            directory,
            names,
            office,
            f"http://{HERE}:{http}",
            mqtt,
            Child("controller", arguments, log=directory / "controller.log"),
            Child("agents", ["simulators.crash.crowd_process", *files, *agent_words], log=directory / "agents.log"),
            None if embedded else _mosquitto(directory, mqtt),
            session,
        )
        for one in filter(None, (town.broker, town.controller, town.agents)):
            stack.push_async_callback(one.stop)
            await town.start(one)
        await hand_in(session, town.origin, office.grant(), office.rules())
        yield town


def sound_of(town: KillTown) -> MediaRef:
    """A programme of a second on the controller's shelf; the light sound path decodes nothing."""
    file = town.directory / "sound.ogg"
    file.write_bytes(bytes(range(256)) * 80)
    return town.office.shelve(file, duration_ms=1000)


def _device_file(directory: Path, office: TownOffice, name: str, *, mqtt: int, http: int) -> str:
    folder = directory / name
    folder.mkdir()
    settings = {
        "device": name,
        "place": place_of(name),
        "controller_url": f"http://{HERE}:{http}",
        "mqtt_host": HERE,
        "mqtt_port": mqtt,
        "token": token_of(name),
        "anchor": str(office.data / "anchor.json"),
        "heartbeat_ms": 2000,
        "media_reserve_mb": 0,
        "system_clock": False,
    }
    file = folder / "device.json"
    file.write_text(json.dumps(settings))
    return str(file)


def _mosquitto(directory: Path, port: int) -> Child:
    if MOSQUITTO is None:
        raise RuntimeError("mosquitto is not installed: apt-get install mosquitto")
    place = directory / "mosquitto"
    place.mkdir()
    file = place / "mosquitto.conf"
    file.write_text(_SETTINGS.format(directory=place, port=port))
    return Program("mosquitto", [MOSQUITTO, "-c", str(file)], log=directory / "mosquitto.log")


async def _listening(broker: Child, port: int) -> None:
    try:
        async with asyncio.timeout(_ANSWERS_S_MAX):
            while True:
                try:
                    _, writer = await asyncio.open_connection(HERE, port)
                except OSError as error:
                    if broker.returncode is not None:
                        raise ChildError(f"{broker.name} ended by itself:\n{broker.last_lines()}") from error
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return
    except TimeoutError as error:
        raise ChildError(f"{broker.name} does not listen:\n{broker.last_lines()}") from error
