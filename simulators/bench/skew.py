"""Figure `skew`: how far eight loudspeakers that play the same programme are apart, heard side by side.

Eight processes, each with the real engine, the real player (libVLC in a child), the real-time clock of this machine
and a simulated card whose crystal is wrong by its own amount, from -80 to +80 parts in a million. Each is told the
same start. What their horns made heard is cross-correlated, every pair, second by second from the first second to the
last; without correction the outermost cards would be 1 ms further apart every six seconds.

p50_ms ... max_ms    of all pairs and seconds
underruns            how often a card ran dry, all players together
seconds              that were judged, out of those that were played

What is left out: the error of each device's clock against the others' (NTP), and what a driver does not tell of its
latency. With `--peers`, a snapserver and eight snapclients with the file player do the same, heard at the end of a
pipe (`snapcast_...`). Their outputs have no crystals of their own, so `ratio_snapcast` compares them with
`alike_...`, which is ours once more with cards that are all exact.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.ports import SAMPLE_RATE
from simulators.bench import told
from simulators.bench.skew_figures import Recorded, rustle, skews_ms
from simulators.encoder import encode

PLAYERS: Final = 8
SECONDS: Final = 120
_ERROR_PPM_MAX: Final = 80.0
_AHEAD_S: Final = 4.0
_READY_S_MAX: Final = 60.0
_PEER: Final = ("snapserver", "snapclient")


def drifts_ppm(players: int) -> list[float]:
    """Evenly from one end to the other."""
    return [round(float(one), 1) for one in np.linspace(-_ERROR_PPM_MAX, _ERROR_PPM_MAX, players)]


async def measure(
    errors_ppm: Sequence[float], *, seconds: int, folder: Path, prefix: str = ""
) -> dict[str, told.Value]:
    """The figure of our players, one for each crystal."""
    song = await asyncio.to_thread(encode, rustle(seconds), folder / "song.opus")
    processes = [
        await _started(song, seconds, error, folder / f"{number}.raw") for number, error in enumerate(errors_ppm)
    ]
    try:
        async with asyncio.timeout(_READY_S_MAX):
            for process in processes:
                await _line(process)
        start_ms = round((time.time() + _AHEAD_S) * 1000)
        for process in processes:
            assert process.stdin is not None, "it was asked for a pipe"
            process.stdin.write(b"%d\n" % start_ms)
        async with asyncio.timeout(seconds + _READY_S_MAX):
            ends = [json.loads(await _line(process)) for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
    start_s = time.monotonic() - time.time() + start_ms / 1000
    horns = [_horn(folder / f"{number}.raw", end["began_s"]) for number, end in enumerate(ends)]
    figures = figures_of(prefix, horns, start_s + 1, start_s + seconds - 1)
    return figures | {f"{prefix}underruns": sum(int(end["underruns"]) for end in ends)}


def figures_of(prefix: str, horns: Sequence[Recorded], begin_s: float, end_s: float) -> dict[str, told.Value]:
    """Percentiles over all pairs and seconds, and how many seconds could be judged."""
    seconds = list(skews_ms(horns, begin_s, end_s))
    spread = told.spread(prefix, (one for pairs in seconds for one in pairs), digits=2)
    return {**spread, f"{prefix}seconds": len(seconds), f"{prefix}seconds_played": int(end_s - begin_s)}


async def _started(song: Path, seconds: int, error: float, out: Path) -> asyncio.subprocess.Process:
    words = ("-m", "simulators.bench.skew_player", str(song), str(seconds * 1000), str(error), str(out))
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, *words, stdin=pipe, stdout=pipe)


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None, "it was asked for a pipe"
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("a player ended by itself")
    return line


def _horn(path: Path, began_s: float) -> Recorded:
    samples: NDArray[np.int16] = np.frombuffer(path.read_bytes(), dtype="<i2")

    def heard(begin_s: float, end_s: float) -> tuple[float, NDArray[np.int16]]:
        first = max(0, round((begin_s - began_s) * SAMPLE_RATE))
        last = max(first, round((end_s - began_s) * SAMPLE_RATE))
        return began_s + first / SAMPLE_RATE, samples[first:last]

    return heard


def main(argv: Sequence[str]) -> int:
    """Prints the figure."""
    parser = told.parser("skew", __doc__, peers="a snapserver and as many snapclients in the same run")
    parser.add_argument("--players", type=int, default=PLAYERS)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="length of the programme")
    options = parser.parse_args(argv)
    if not 2 <= options.players <= 32 or not 5 <= options.seconds <= 3600:
        parser.error("2 to 32 players, 5 seconds to an hour")
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    from simulators.bench.skew_peer import missing, snapcast

    lacking = {"snapcast": missing()} if options.peers else {}
    figures: dict[str, told.Value] = {"players": options.players}
    with tempfile.TemporaryDirectory(prefix="loalang-skew-") as name:
        folder = Path(name)
        seconds = options.seconds
        figures |= asyncio.run(measure(drifts_ppm(options.players), seconds=seconds, folder=folder))
        if told.present(lacking):
            alike = [0.0] * options.players
            figures |= asyncio.run(measure(alike, seconds=seconds, folder=folder, prefix="alike_"))
            figures |= asyncio.run(snapcast(players=options.players, seconds=seconds, folder=folder))
            figures["ratio_snapcast"] = told.ratio(float(figures["alike_p99_ms"]), float(figures["snapcast_p99_ms"]))
    told.tell(figures | told.ground("numpy", "python-vlc"), as_json=options.json)
    return told.lack(lacking)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
