"""The demo province on this machine: controller, signer and village, started together and stopped together.

`script/run [--data DIR] [--port N] [--broker mqtt://host:port] [--lang vi|en]`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from controller.demo import PROVINCE
from protocol.units import UnitPath
from provisioning.errors import ProvisioningError
from simulators.air import station_plan
from simulators.child import Child, ChildError, is_free
from simulators.demo_text import Speaker, tell_ready, tell_taken
from simulators.language import N_
from simulators.officer import AnswerError, Officer, message_of
from simulators.province import Addresses, Province, open_province, prepare
from simulators.surroundings import Enrolled

DATA: Final = Path(__file__).parents[1] / "data"
_QUIET: Final = {"begin_s": 21 * 3600, "end_s": 6 * 3600}
_FM_WINDOWS: Final = ({"begin_s": 6 * 3600, "end_s": 21 * 3600},)
_MESSAGE_TITLE: Final = "Mời họp ấp"
_MESSAGE: Final = "Kính mời bà con đến nhà văn hoá ấp để họp. Xin trân trọng thông báo."
_ONLINE_S_MAX: Final = 60.0
_log = logging.getLogger(__name__)


def main(argv: Sequence[str]) -> int:
    """Runs the demo until Ctrl-C; 2 when it cannot start."""
    options = _parser().parse_args(argv)
    speaker = Speaker((options.lang,) if options.lang else ("vi", "en"))
    addresses = Addresses(
        options.port,
        options.signer_port,
        options.panel_port,
        options.mqtt_port,
        options.broker,
        device_port=options.device_port,
    )
    if taken := _taken(addresses):
        tell_taken(speaker, *taken)
        return 2
    try:
        return asyncio.run(_run(options.data, addresses, speaker))
    except (ChildError, AnswerError, ProvisioningError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    usual = Addresses()
    parser = argparse.ArgumentParser(prog="script/run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="where everything is kept; usually ./data")
    parser.add_argument("--port", type=int, default=usual.controller_port, help="port of the controller")
    parser.add_argument("--signer-port", type=int, default=usual.signer_port, help="port of the signer")
    parser.add_argument("--panel-port", type=int, default=usual.panel_port, help="port of the simulated panels")
    parser.add_argument("--mqtt-port", type=int, default=usual.mqtt_port, help="port of the embedded broker")
    parser.add_argument("--device-port", type=int, default=usual.device_port, help="port for devices, by mutual TLS")
    parser.add_argument("--broker", help="mqtt://host:port of an outside broker, such as mosquitto")
    parser.add_argument("--lang", choices=("vi", "en"), help="language of what is printed here; usually both")
    return parser


def _taken(addresses: Addresses) -> tuple[int, str] | None:
    """A port that somebody listens on, and the option that chooses another."""
    wanted = {
        "--port": addresses.controller_port,
        "--signer-port": addresses.signer_port,
        "--panel-port": addresses.panel_port,
    }
    if addresses.secure:
        wanted["--device-port"] = addresses.device_port
    if addresses.broker is None:
        wanted["--mqtt-port"] = addresses.mqtt_port
    return next(((port, option) for option, port in wanted.items() if not is_free(port)), None)


async def _run(data: Path, addresses: Addresses, speaker: Speaker) -> int:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    speaker.say(N_("Starting the demo province; the first time takes half a minute …"))
    starting = asyncio.ensure_future(ended.wait())
    async with AsyncExitStack() as stack:
        opening = asyncio.ensure_future(_open(stack, data, addresses))
        await asyncio.wait({starting, opening}, return_when=asyncio.FIRST_COMPLETED)
        if not opening.done():
            opening.cancel()
            await asyncio.wait({opening})
            return 0
        province, children = opening.result()
        tell_ready(speaker, province)
        code = await _until_end(children, ended, speaker)
        speaker.say(N_("Stopping …"))
    speaker.say(N_("Everything has stopped. Your data stay in {data}."), data=data)
    return code


async def _open(stack: AsyncExitStack, data: Path, addresses: Addresses) -> tuple[Province, tuple[Child, ...]]:
    """Starts everything, in order; what was started is on the stack, also when a later part fails."""
    province = await stack.enter_async_context(open_province(data, addresses))
    async with Officer(province, "dieu-hanh", key="p1") as operator:
        await _sign_first_rules(operator)
        village = _village(province)
        await village.start()
        stack.push_async_callback(village.stop)
        await village.healthy(f"{addresses.panel}/")
        await operator.wait_for("/devices", _all_online, within_s=_ONLINE_S_MAX)
    return province, (*province.children, village)


def _all_online(devices: list[dict[str, object]]) -> bool:
    return all(one["reach"] == "online" for one in devices)


async def _sign_first_rules(operator: Officer) -> None:
    """The province's rules of the horn; once there are some, they are the operators' affair."""
    rules: dict[str, Any] = {
        "quiet_hours": [_QUIET],
        "fm_stations": station_plan(),
        "fm_windows": list(_FM_WINDOWS),
        "fallback": "fm",
        "on_computer_dead": "fm",
    }
    asked = await operator.ask(PROVINCE, kind="audible-config", config=rules)
    if asked["summary"]["version"] == 1:
        rules["messages"] = await _first_messages(operator)
        await operator.sign(await operator.ask(PROVINCE, kind="audible-config", config=rules))


async def _first_messages(operator: Officer) -> list[dict[str, Any]]:
    """What the first message button says; nothing where this machine has no voice."""
    try:
        return [message_of(1, await operator.speak(_MESSAGE, unit=PROVINCE, title=_MESSAGE_TITLE))]
    except AnswerError as error:
        _log.warning("no message is stored behind the first button: %s", error)
        return []


def _village(province: Province) -> Child:
    """All demo devices in one process; the first one can be listened to."""
    addresses = province.addresses
    host, port = addresses.mqtt
    keys = province.keys
    devices = [
        Enrolled(one.id, UnitPath(one.place), one.name, one.token, full_sound=number == 0, guarded=number == 0)
        for number, one in enumerate(province.demo.devices)
    ]
    settings = {
        "controller_url": addresses.for_devices,
        "mqtt_host": host,
        "mqtt_port": port,
        "anchor": str(province.ceremony.anchor_path.resolve()),
        "root": str(province.ceremony.root_path.resolve()),
        "data": "devices",
        "keys": str(keys.resolve()) if keys is not None else "",
        "devices": [asdict(one) for one in devices],
    }
    path = province.data / "village.json"
    _write_secret(path, json.dumps(settings, ensure_ascii=False, indent=1))
    arguments = ["simulators", "village", "--config", str(path), "--port", str(addresses.panel_port)]
    for name in ("127.0.0.1", "localhost"):
        arguments += ["--framer", f"http://{name}:{addresses.controller_port}"]
    return Child("village", arguments, log=province.data / "logs" / "village.log")


def _write_secret(path: Path, text: str) -> None:
    """The devices' tokens are in it."""
    prepare(path.parent)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


async def _until_end(children: Sequence[Child], ended: asyncio.Event, speaker: Speaker) -> int:
    """Waits for Ctrl-C, or for a part that ended by itself."""
    waiting = {asyncio.ensure_future(one.ended()): one for one in children}
    asked = asyncio.ensure_future(ended.wait())
    await asyncio.wait({*waiting, asked}, return_when=asyncio.FIRST_COMPLETED)
    fallen = [child for task, child in waiting.items() if task.done()]
    for task in (*waiting, asked):
        task.cancel()
    for child in fallen:
        speaker.say(N_("The {name} ended by itself; its log is {log}."), name=child.name, log=child.log)
        print(child.last_lines(), file=sys.stderr)
    return 1 if fallen else 0
