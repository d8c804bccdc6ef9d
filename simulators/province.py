"""The demo province's offices: controller and signer as processes of their own, with keys and grants in place.

The ceremony is held before the controller starts, so its first start finds the anchor. Grants and the first rules of
the horn go in through the same doors as everybody's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from controller.demo import Demo, demo_places, open_demo
from controller.signing.freshness import open_key
from provisioning.demo import Ceremony, make_ceremony
from simulators.child import Child, ChildError
from simulators.identities import keys_of, make_identities, register, tls_of
from simulators.surroundings import Surroundings

MQTT_PORT: Final = 1883
MQTTS_PORT: Final = 8883
_TECHNICIAN: Final = "ky-thuat"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the offices are.

    Attributes:
        broker: `mqtt://host:port` of an outside broker; None for the controller's own on `mqtt_port`. Where it speaks
            plainly, devices come plainly to the controller as well, with tokens.
        device_port: where devices come to the controller by mutual TLS.
    """

    controller_port: int = 8080
    signer_port: int = 8090
    panel_port: int = 8091
    mqtt_port: int = 18_830
    broker: str | None = None
    device_port: int = 8443

    @property
    def secure(self) -> bool:
        """Whether devices come by mutual TLS."""
        return self.broker is None or self.broker.startswith("mqtts://")

    @property
    def for_devices(self) -> str:
        """Where devices reach the controller."""
        return f"https://127.0.0.1:{self.device_port}" if self.secure else self.controller

    @property
    def controller(self) -> str:
        """Origin of the controller."""
        return f"http://127.0.0.1:{self.controller_port}"

    @property
    def signer(self) -> str:
        """Origin of the signer."""
        return f"http://127.0.0.1:{self.signer_port}"

    @property
    def panel(self) -> str:
        """Origin of the simulated panels."""
        return f"http://127.0.0.1:{self.panel_port}"

    @property
    def mqtt(self) -> tuple[str, int]:
        """Host and port of the broker."""
        if self.broker is None:
            return "127.0.0.1", self.mqtt_port
        parts = urlsplit(self.broker if "://" in self.broker else f"mqtt://{self.broker}")
        return parts.hostname or "127.0.0.1", parts.port or (MQTTS_PORT if self.secure else MQTT_PORT)


@dataclass(frozen=True, slots=True)
class Province:
    """Running offices.

    Attributes:
        children: the processes, in the order of their start.
    """

    data: Path
    addresses: Addresses
    demo: Demo
    ceremony: Ceremony
    children: tuple[Child, ...]

    def password(self, login: str) -> str:
        """Of a demo account."""
        return next(one.password for one in self.demo.accounts if one.login == login)

    @property
    def keys(self) -> Path | None:
        """The devices' keys and certificates; None where they come with tokens."""
        return keys_of(self.data) if self.addresses.secure else None

    def surroundings(self, *, heartbeat_ms: int, keepalive_s: int) -> Surroundings:
        """What simulated devices share."""
        host, port = self.addresses.mqtt
        return Surroundings(
            controller_url=self.addresses.for_devices,
            mqtt_host=host,
            mqtt_port=port,
            anchor=self.ceremony.anchor_path,
            data=self.data / "devices",
            keys=self.keys,
            root=self.ceremony.root_path,
            heartbeat_ms=heartbeat_ms,
            keepalive_s=keepalive_s,
        )


@asynccontextmanager
async def open_province(data: Path, addresses: Addresses) -> AsyncIterator[Province]:
    """Runs controller and signer until the block ends.

    Raises:
        ChildError: one of them does not start.
    """
    prepare(data)
    demo, key = open_demo(data), open_key(data)
    ceremony = make_ceremony(
        data,
        freshness_key=key.public,
        places=demo_places(demo),
        communes=demo.communes,
        devices={one.id: one.place for one in demo.devices},
    )
    devices = [one.id for one in demo.devices]
    if addresses.secure:
        await asyncio.to_thread(make_identities, data, devices)
    async with AsyncExitStack() as stack:
        children = (_controller(data, addresses), _signer(data, addresses))
        for child in children:
            await child.start()
            stack.push_async_callback(child.stop)
        await children[0].healthy(f"{addresses.controller}/health")
        await children[1].healthy(f"{addresses.signer}/")
        await _hand_in_grants(addresses.controller, ceremony)
        province = Province(data, addresses, demo, ceremony, children)
        if addresses.secure:
            password = province.password(_TECHNICIAN)
            await register(data, addresses.controller, devices, login=_TECHNICIAN, password=password)
        yield province


def prepare(data: Path) -> None:
    """Makes the data directory, readable by its owner only: keys and passwords lie in it."""
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)


def _controller(data: Path, addresses: Addresses) -> Child:
    arguments = ["controller", "--demo", "--data", str(data), "--port", str(addresses.controller_port)]
    arguments += ["--mqtt-port", str(addresses.mqtt_port), "--signer-url", addresses.signer]
    arguments += ["--panel-url", addresses.panel]
    if addresses.broker is not None:
        arguments += ["--broker", addresses.broker]
    if addresses.secure:
        arguments += ["--device-tls", str(tls_of(data)), "--device-port", str(addresses.device_port)]
    return Child("controller", arguments, log=data / "logs" / "controller.log")


def _signer(data: Path, addresses: Addresses) -> Child:
    arguments = ["signer", "--data", str(data), "--port", str(addresses.signer_port)]
    return Child("signer", [*arguments, "--controller", addresses.controller], log=data / "logs" / "signer.log")


async def _hand_in_grants(controller: str, ceremony: Ceremony) -> None:
    """The controller keeps what it has: the same grants again change nothing."""
    envelopes = [one.pack().decode() for one in (*ceremony.grants, *ceremony.assignments)]
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{controller}/api/v1/envelopes", json={"envelopes": envelopes}) as answer,
    ):
        results = (await answer.json())["results"] if answer.status == 200 else []
    refused = [one for one in results if one["state"] == "refused" and one["refusal"] not in _KNOWN_ALREADY]
    if not results or refused:
        raise ChildError(f"the controller does not take the grants: {refused or answer.status}")


_KNOWN_ALREADY: Final = ("replayed", "older_version")
