"""Figure `footprint`: memory and processor time of one real agent process, idle and while it plays.

`python -m edge` with the simulated board, a broker and a controller beside it: enrolled, connected, clock agreed.
Idle is measured after it has settled; then a signed schedule arrives, and its programme is measured while it sounds.
What is counted includes the simulated board (a few MB that a real device does not have) and, while playing, FFmpeg
through PyAV, which is loaded at the first programme and stays; a device with libVLC has that instead.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import aiomqtt
import psutil

from protocol import codec
from protocol.clock import WallMs
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import AsRun
from protocol.topics import up_topic
from simulators.bench.little_controller import PLACE, LittleController, wall_now
from simulators.encoder import encode
from simulators.melody import melody

WINDOW_S: Final = 20.0
_SETTLE_S: Final = 8.0
_AHEAD_S: Final = 6.0
_TAIL_S: Final = 6.0
_SAMPLE_S: Final = 1.0
_MB: Final = 1024 * 1024
_DEVICE: Final = "bench-c07"

Figures = dict[str, float]


async def measure(*, window_s: float = WINDOW_S) -> Figures:
    """Idle and playing, each over `window_s` seconds."""
    duration_ms = round((window_s + _TAIL_S) * 1000)
    with tempfile.TemporaryDirectory() as folder:
        sound = encode(melody(1, duration_ms=duration_ms), Path(folder) / "song.opus")
        async with LittleController(sound, duration_ms) as controller:
            device_file = _enrol(Path(folder) / "device", controller)
            async with aiomqtt.Client("127.0.0.1", controller.mqtt_port, identifier="bench") as ear:
                await ear.subscribe(up_topic(_DEVICE, AsRun), qos=1)
                with _agent(device_file) as agent:
                    figures = await _watch(agent, controller, window_s)
                    return figures | {"playing_level_cdb": (await _as_run(ear)).level_cdb}


async def _as_run(ear: aiomqtt.Client) -> AsRun:
    """The agent's own record: without one, nothing was heard and the figures of playing mean nothing."""
    async with asyncio.timeout(_TAIL_S + 10):
        message = await anext(aiter(ear.messages))
    return codec.decode(AsRun, message.payload, bytes_max=REPORT_BYTES_MAX)


async def _watch(agent: psutil.Process, controller: LittleController, window_s: float) -> Figures:
    await asyncio.sleep(_SETTLE_S)
    idle = await _window(agent, window_s)
    start = WallMs(wall_now() + round(_AHEAD_S * 1000))
    controller.plan(start)
    await asyncio.sleep(_AHEAD_S + 2.0)
    playing = await _window(agent, window_s)
    return {f"idle_{name}": value for name, value in idle.items()} | {
        f"playing_{name}": value for name, value in playing.items()
    }


async def _window(agent: psutil.Process, window_s: float) -> Figures:
    began, spent = asyncio.get_running_loop().time(), _spent_s(agent)
    highest = 0
    while asyncio.get_running_loop().time() - began < window_s:
        await asyncio.sleep(_SAMPLE_S)
        highest = max(highest, agent.memory_info().rss)
    elapsed_s = asyncio.get_running_loop().time() - began
    return {
        "rss_mb": round(highest / _MB, 1),
        "cpu_percent": round(100 * (_spent_s(agent) - spent) / elapsed_s, 2),
        "threads": agent.num_threads(),
        "ffmpeg_loaded": int(any("libavcodec" in one.path for one in agent.memory_maps())),
    }


def _spent_s(agent: psutil.Process) -> float:
    times = agent.cpu_times()
    return float(times.user + times.system)


def _enrol(directory: Path, controller: LittleController) -> Path:
    directory.mkdir()
    (directory / "anchor.json").write_bytes(codec.encode(controller.anchor))
    settings = {
        "device": _DEVICE,
        "place": PLACE,
        "controller_url": f"http://127.0.0.1:{controller.http_port}",
        "mqtt_host": "127.0.0.1",
        "mqtt_port": controller.mqtt_port,
        "token": "bench",
        "media_reserve_mb": 0,
        "board": "simulators.machine:make_board",
        "player": "simulators.machine:make_player",
    }
    (directory / "device.json").write_text(json.dumps(settings))
    return directory / "device.json"


@contextmanager
def _agent(device_file: Path) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "edge", "--config", str(device_file)]
    log = device_file.with_name("agent.log")
    with log.open("w") as out, subprocess.Popen(command, stderr=out) as process:  # noqa: S603
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(10)
            logging.getLogger(__name__).info("%s", log.read_text())


def main(argv: list[str]) -> int:
    """Prints the figure."""
    parser = argparse.ArgumentParser(prog="footprint", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one flat object on the last line")
    parser.add_argument("--peers", action="store_true", help="there is no peer to measure here")
    parser.add_argument("--window-s", type=float, default=WINDOW_S, help="seconds for each of the two")
    parser.add_argument("--verbose", action="store_true", help="print the agent's log at the end")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.ERROR, format="%(message)s")
    for noisy in ("amqtt", "transitions"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    figures = asyncio.run(measure(window_s=options.window_s))
    for name, value in figures.items():
        print(f"{name:>22}  {value:g}")
    if options.json:
        print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
