"""Figure `footprint`: memory and processor time of one real agent, idle and while it plays, beside other players.

`python -m edge` with a broker and a controller beside it: enrolled, connected, clock agreed. Idle is measured after
it has settled; then a signed schedule arrives, and its programme is measured while it sounds. The player is the real
one, libVLC in a process of its own, whose memory and time are counted with the agent's. Measured twice: with the
board of a device (ALSA's null card) and, under names that begin with `simulated_`, with the simulated board.

With `--peers`, liquidsoap, mopidy and snapclient play the same file in the same run. `ratio_<peer>` is the agent's
memory while it plays (RSS, its child's added) divided by the peer's: below 1 the agent needs less. PSS is told beside
it, and is lower where other Pythons on the machine share the interpreter.
"""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import aiomqtt

from protocol import codec
from protocol.clock import WallMs
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import AsRun
from protocol.topics import up_topic
from simulators.bench import told
from simulators.bench.footprint_peers import PEERS, measure_peer, missing
from simulators.bench.little_controller import PLACE, LittleController, wall_now
from simulators.bench.process_tree import Figures, ProcessTree
from simulators.encoder import encode
from simulators.melody import melody

WINDOW_S: Final = 20.0
_SETTLE_S: Final = 8.0
_AHEAD_S: Final = 6.0
_TAIL_S: Final = 6.0
_DEVICE: Final = "bench-c07"
_PLAYER: Final = "hardware.vlc_player:make_player"
_HARDWARE: Final = "edge.adapters.board:make_board"
_SIMULATED: Final = "simulators.machine:make_board"
_NULL_CARD: Final = {"sound": {"card": "null"}}


async def measure(*, window_s: float = WINDOW_S, peers: Sequence[str] = ()) -> Figures:
    """Idle and playing on both boards, then the peers, each over `window_s` seconds."""
    duration_ms = round((window_s + _TAIL_S) * 1000)
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        sound = encode(melody(1, duration_ms=duration_ms), folder / "song.opus")
        figures = await _on_board(_HARDWARE, sound, folder / "hardware", window_s)
        simulated = await _on_board(_SIMULATED, sound, folder / "simulated", window_s)
        figures |= {f"simulated_{name}": value for name, value in simulated.items()}
        longer = encode(melody(1, duration_ms=duration_ms + 40_000), folder / "longer.opus") if peers else sound
        for peer in peers:
            figures |= await measure_peer(peer, longer, folder / peer, window_s)
            figures[f"ratio_{peer}"] = round(figures["playing_rss_mb"] / figures[f"{peer}_rss_mb"], 2)
        return figures


async def _on_board(board: str, sound: Path, folder: Path, window_s: float) -> Figures:
    duration_ms = round((window_s + _TAIL_S) * 1000)
    async with LittleController(sound, duration_ms) as controller:
        device_file = _enrol(folder, controller, board)
        async with aiomqtt.Client("127.0.0.1", controller.mqtt_port, identifier="bench") as ear:
            await ear.subscribe(up_topic(_DEVICE, AsRun), qos=1)
            with _agent(device_file) as agent:
                figures = await _watch(ProcessTree(agent), controller, window_s)
                return figures | {"playing_level_cdb": (await _as_run(ear)).level_cdb}


async def _as_run(ear: aiomqtt.Client) -> AsRun:
    """The agent's own record: without one, nothing was heard and the figures of playing mean nothing."""
    async with asyncio.timeout(_TAIL_S + 10):
        message = await anext(aiter(ear.messages))
    return codec.decode(AsRun, message.payload, bytes_max=REPORT_BYTES_MAX)


async def _watch(agent: ProcessTree, controller: LittleController, window_s: float) -> Figures:
    await asyncio.sleep(_SETTLE_S)
    idle = await agent.watch(window_s)
    start = WallMs(wall_now() + round(_AHEAD_S * 1000))
    controller.plan(start)
    await asyncio.sleep(_AHEAD_S + 2.0)
    assert agent.uses("libvlc"), "the real player plays"
    playing = await agent.watch(window_s)
    return {f"idle_{name}": value for name, value in idle.items()} | {
        f"playing_{name}": value for name, value in playing.items()
    }


def _enrol(directory: Path, controller: LittleController, board: str) -> Path:
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
        "board": board,
        "player": _PLAYER,
    }
    if board == _HARDWARE:
        (directory / "board.json").write_text(json.dumps(_NULL_CARD))
    (directory / "device.json").write_text(json.dumps(settings))
    return directory / "device.json"


@contextmanager
def _agent(device_file: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "edge", "--config", str(device_file)]
    log = device_file.with_name("agent.log")
    with log.open("w") as out, subprocess.Popen(command, stderr=out) as process:  # noqa: S603
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(10)
            logging.getLogger(__name__).info("%s", log.read_text())


def main(argv: list[str]) -> int:
    """Prints the figure."""
    parser = told.parser("footprint", __doc__, peers="liquidsoap, mopidy and snapclient in the same run")
    parser.add_argument("--window-s", type=float, default=WINDOW_S, help="seconds for each of the two")
    parser.add_argument("--verbose", action="store_true", help="print the agent's log at the end")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.ERROR, format="%(message)s")
    for noisy in ("amqtt", "transitions"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    lacking = {peer: missing(peer) for peer in PEERS if options.peers}
    figures = asyncio.run(measure(window_s=options.window_s, peers=told.present(lacking)))
    told.tell(figures, as_json=options.json)
    return told.lack(lacking)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
