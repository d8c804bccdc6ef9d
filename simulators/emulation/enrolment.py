"""The folder that a technician puts on a card's boot partition, written for an emulated computer."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simulators.emulation.computer import HOST
from simulators.network import Network
from simulators.surroundings import Enrolled, Surroundings

_DOOR = "simulators.emulation.board_door"


async def write_enrolment(
    folder: Path, enrolled: Enrolled, around: Surroundings, *, lines: tuple[Network, Network], time_port: int
) -> Path:
    """Writes it, with addresses that go through lines which can be cut.

    Args:
        lines: to the controller's web server and to the broker.
        time_port: of the time server on our loopback.
    """
    url = urlsplit(around.controller_url)
    assert url.hostname is not None and url.port is not None, "addresses of the demo have both"
    settings = {
        "device": enrolled.device,
        "place": enrolled.place,
        "controller_url": f"{url.scheme}://{HOST}:{await lines[0].open(url.hostname, url.port)}",
        "mqtt_host": HOST,
        "mqtt_port": await lines[1].open(around.mqtt_host, around.mqtt_port),
        "token": "",
        "heartbeat_ms": around.heartbeat_ms,
        "keepalive_s": around.keepalive_s,
        "board": f"{_DOOR}:make_board",
        "player": f"{_DOOR}:make_player",
    }
    papers = dict(zip(("ca", "certificate", "key"), around.papers(enrolled.device), strict=True))
    papers |= {"anchor": str(around.anchor), "root": str(around.root or "")}
    await asyncio.to_thread(_write, folder, settings, papers, time_port)
    return folder


def _write(folder: Path, settings: dict[str, Any], papers: dict[str, str], time_port: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "ntp").mkdir(parents=True)
    for name, path in papers.items():
        if path:
            shutil.copyfile(path, folder / Path(path).name)
            settings[name] = Path(path).name
    (folder / "device.json").write_text(json.dumps(settings), encoding="utf-8")
    source = f"server {HOST} port {time_port} iburst minpoll 2 maxpoll 4\n"
    (folder / "ntp" / "province.sources").write_text(source, encoding="ascii")
