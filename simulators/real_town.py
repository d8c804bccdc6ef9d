"""A town of the processes that there are in the field: controller, mosquitto, and agents behind bad networks.

`python -m controller` and mosquitto with mutual TLS, `python -m edge` with a simulated board for each device. What a
device tells is read where the controller reads it, at the broker. All of it listens on one address, and ends with the
block.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import aiohttp
import aiomqtt

from protocol import codec
from protocol.envelope import Envelope
from protocol.errors import DocumentError
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import AsRun, Receipt, Report, Standing, Status
from protocol.topics import ROOT, up_of_topic
from simulators.child import Child, free_ports
from simulators.identities import keys_of, tls_of
from simulators.network import Network
from simulators.town_office import TownOffice, hand_in, place_of, token_of

MOSQUITTO: Final = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
HERE: Final = "127.0.0.1"
_HEARD_MAX: Final = 100_000
_BOARD: Final = "simulators.machine:make_board"
_PLAYER: Final = "simulators.machine:make_player"
R = TypeVar("R", bound=Report)


class Ear:
    """Listens at the broker to all that devices tell.

    Attributes:
        told: device and report, in the order in which they came; `online` is told as a bool.
    """

    def __init__(self) -> None:
        self.told: list[tuple[str, Report | bool]] = []
        self._came = asyncio.Condition()

    async def listen(self, port: int) -> None:
        """Until it is cancelled."""
        async with aiomqtt.Client(HERE, port, identifier="ear") as client:
            await client.subscribe(f"{ROOT}/d/+/up/#", qos=1)
            async for message in client.messages:
                await self._take(str(message.topic), message.payload)

    async def _take(self, topic: str, payload: bytes) -> None:
        named = up_of_topic(topic)
        if named is None or len(self.told) >= _HEARD_MAX:
            return
        device, kind = named
        try:
            said = payload == b"1" if kind is None else codec.decode(kind, payload, bytes_max=REPORT_BYTES_MAX)
        except DocumentError:
            return
        async with self._came:
            self.told.append((device, said))
            self._came.notify_all()

    def of(self, device: str, kind: type[R]) -> list[R]:
        """All reports of a kind from a device so far."""
        return [said for name, said in self.told if name == device and isinstance(said, kind)]

    def online(self, device: str) -> bool:
        """Whether the broker thinks that it is connected."""
        return next((said for name, said in reversed(self.told) if name == device and isinstance(said, bool)), False)

    async def until(self, holds: Callable[[], bool], *, within_s: float = 20.0) -> None:
        """Returns when it holds; looks after each report. Raises TimeoutError."""
        async with asyncio.timeout(within_s), self._came:
            await self._came.wait_for(holds)


@dataclass(slots=True)
class RealAgent:
    """`python -m edge` as a process.

    Attributes:
        network: the way to broker and controller; perfect until something is done to it.
        folder: of its configuration, log and data.
    """

    name: str
    child: Child
    network: Network
    folder: Path
    ear: Ear

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.child.log.read_text(errors="replace")

    def as_runs(self) -> list[AsRun]:
        """Those that reached the broker, also twice."""
        return self.ear.of(self.name, AsRun)

    def receipts(self) -> list[Receipt]:
        """Those that reached the broker."""
        return self.ear.of(self.name, Receipt)

    def ready_items(self) -> set[str | None]:
        """Items of schedules that could sound now."""
        return {one.item for one in self.receipts() if one.standing is Standing.READY}

    def has_sounded(self) -> bool:
        """Whether it has told that something began."""
        return any(one.standing is Standing.SOUNDING for one in self.receipts())

    def online(self) -> bool:
        """Whether the broker thinks so."""
        return self.ear.online(self.name)

    async def ready(self, *, media: int = 0, within_s: float = 30.0) -> None:
        """Returns when it is connected, trusts its clock, obeys the rules, and so many items can sound."""

        def holds() -> bool:
            told = self.ear.of(self.name, Status)
            able = len(self.ready_items()) >= media
            return bool(told) and told[-1].clock == "agreed" and bool(told[-1].in_force) and able

        await self.ear.until(lambda: self.online() and holds(), within_s=within_s)


@dataclass(slots=True)
class RealTown:
    """See `open_town`.

    Attributes:
        inside_port: of the broker, for programs on its own machine.
        before: words put before an agent's command, such as those that put it into a network namespace.
        host: where devices come in.
    """

    directory: Path
    office: TownOffice
    origin: str
    mqtt_port: int
    device_port: int
    session: aiohttp.ClientSession
    ear: Ear
    host: str = HERE
    secure: bool = True
    before: Sequence[str] = ()
    inside_port: int = 0
    controller: Child | None = None

    async def hand_in(self, *envelopes: Envelope) -> None:
        """Raises RuntimeError when the controller refuses one."""
        await hand_in(self.session, self.origin, *envelopes)

    @asynccontextmanager
    async def agent(
        self, name: str, *, prepare: Callable[[RealAgent], None] = lambda _: None, **settings: object
    ) -> AsyncIterator[RealAgent]:
        """Runs the agent of an enrolled device until the block ends.

        Args:
            prepare: what is done to its network before it starts.
            settings: those of `device.json`.
        """
        folder, network = self.directory / name, Network()
        folder.mkdir(exist_ok=True)
        mqtt, http = [await network.open(self.host, port) for port in (self.mqtt_port, self.device_port)]
        way = {"mqtt_host": HERE, "mqtt_port": mqtt, "controller_url": f"{self._scheme}://{HERE}:{http}"}
        made = self.device_file(name) | way | settings
        file = folder / "device.json"
        file.write_text(json.dumps(made))
        child = Child(name, ["edge", "--config", str(file)], log=folder / "agent.log", before=self.before)
        agent = RealAgent(name, child, network, folder, self.ear)
        prepare(agent)
        await child.start()
        try:
            yield agent
        finally:
            await child.stop()
            await network.close()

    @property
    def _scheme(self) -> str:
        return "https" if self.secure else "http"

    def device_file(self, name: str) -> dict[str, object]:
        """What enrolment would write, with the straight way to broker and controller."""
        keys = keys_of(self.office.data) / name
        papers = {"ca": keys / "ca.pem", "certificate": keys / "device.pem", "key": keys / "device-key.pem"}
        return {
            "device": name,
            "place": place_of(name),
            "controller_url": f"{self._scheme}://{self.host}:{self.device_port}",
            "mqtt_host": self.host,
            "mqtt_port": self.mqtt_port,
            "token": "" if self.secure else token_of(name),
            **({one: str(path) for one, path in papers.items()} if self.secure else {}),
            "anchor": str(self.office.data / "anchor.json"),
            "media_reserve_mb": 0,
            "board": _BOARD,
            "player": _PLAYER,
            "system_clock": False,
        }


@asynccontextmanager
async def open_town(
    directory: Path, names: Sequence[str], *, host: str = HERE, secure: bool = True, before: Sequence[str] = ()
) -> AsyncIterator[RealTown]:
    """Runs controller and broker until the block ends; the commune's rules are in force.

    Args:
        names: devices that are enrolled.
        host: where devices come in; everything else is on 127.0.0.1.
        secure: mutual TLS; else tokens in the clear, so that bytes can be told apart.

    Raises:
        ChildError: the controller does not start.
    """
    inside, mqtt, http, door = free_ports(4)
    mqtt, door = (mqtt, door) if secure else (inside, http)
    office = TownOffice(directory / "controller", names, secure=secure)
    await office.furnish()
    async with AsyncExitStack() as stack:
        await _start_broker(stack, directory, office, host, inside=inside, outside=mqtt)
        arguments = ["controller", "--data", str(office.data), "--port", str(http)]
        arguments += ["--broker", f"mqtt://{HERE}:{inside}"]
        if secure:
            arguments += ["--device-tls", str(tls_of(office.data))]
            arguments += ["--device-host", host, "--device-port", str(door)]
        controller = Child("controller", arguments, log=directory / "controller.log")
        await controller.start()
        stack.push_async_callback(controller.stop)
        origin, ear = f"http://{HERE}:{http}", Ear()
        await controller.healthy(f"{origin}/health")
        session = await stack.enter_async_context(aiohttp.ClientSession())
        listening = asyncio.create_task(ear.listen(inside))
        stack.callback(listening.cancel)
        town = RealTown(directory, office, origin, mqtt, door, session, ear, host=host, secure=secure, before=before)
        town.controller, town.inside_port = controller, inside
        await town.hand_in(office.grant(), office.rules())
        yield town


async def _start_broker(
    stack: AsyncExitStack, directory: Path, office: TownOffice, host: str, *, inside: int, outside: int
) -> None:
    """mosquitto as `controller/broker` describes it, with rights left out."""
    if MOSQUITTO is None:
        raise RuntimeError("mosquitto is not installed: apt-get install mosquitto")
    plain = f"listener {inside} {HERE}\nallow_anonymous true\n"
    settings = f"per_listener_settings true\nset_tcp_nodelay true\nmax_queued_messages 200\nuser root\n{plain}"
    if outside != inside:
        tls = tls_of(office.data)
        settings += f"listener {outside} {host}\ncafile {tls}/ca.pem\ncertfile {tls}/server.pem\n"
        settings += f"keyfile {tls}/server-key.pem\nrequire_certificate true\nuse_identity_as_username true\n"
        settings += "use_username_as_clientid true\nallow_anonymous false\n"
    file = directory / "mosquitto.conf"
    file.write_text(settings)
    with (directory / "mosquitto.log").open("wb") as log:
        broker = await asyncio.create_subprocess_exec(MOSQUITTO, "-c", str(file), stdout=log, stderr=log)
    stack.push_async_callback(_end, broker)
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection(HERE, inside)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        await process.wait()
