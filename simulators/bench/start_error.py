"""Figure `start-error`: how far the first audible sample is from the planned instant.

The real engine in real time, a stored Opus file, the PyAV player and the simulated card: 100 starts at random
instants, idle and again while two other processes keep both cores busy. The card knows the instant of each sample, so
the error is read from the samples; what this leaves out is a real card's own drift and buffering.

Each programme is a burst of noise and then nothing, and gives way to the next: the first audible sample is the next
programme's first. The file is decoded once beforehand, to learn at which sample the burst passes the threshold.
"""

from __future__ import annotations

import asyncio
import logging
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from edge.audio.engine import Engine
from edge.audio.fader import RAMP_SAMPLES
from edge.core.output import ProgrammeOutput, Rung
from edge.ports import FRAME_SAMPLES
from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, WallMs
from simulators.bench import told
from simulators.bench.start_error_peers import PEERS, missing
from simulators.bench.start_minute import MINUTES
from simulators.bench.start_minute import measure as measure_minutes
from simulators.board import SimBoard
from simulators.encoder import encode
from simulators.horn import SAMPLES_PER_MS, Heard
from simulators.loop_clock import LoopClock
from simulators.media_shelf import MediaShelf
from simulators.melody import noise
from simulators.player import PyAvPlayer
from simulators.tone_voice import ToneVoice

STARTS: Final = 100
_AHEAD_MS: Final = (450, 650)
_BURST_MS: Final = 200
_AUDIBLE: Final = 300
_HEARD_MS: Final = 100
_BURNERS: Final = 2
_BURN_S_MAX: Final = 120
_BURN: Final = "import time; end = time.monotonic() + {}\nwhile time.monotonic() < end: sum(range(10000))"


@dataclass(slots=True)
class _World:
    clock: LoopClock
    board: SimBoard
    engine: Engine
    media: MediaRef
    first_audible_ms: float


async def measure(*, starts: int = STARTS, seed: int = 1) -> dict[str, float]:
    """Errors in ms; also how often nothing was heard, and how often the card ran dry."""
    with tempfile.TemporaryDirectory() as folder:
        song = encode(noise()[: _BURST_MS * 96] + bytes(4000 * 96), Path(folder) / "song.opus")
        idle, idle_underruns = await _round(song, starts=starts, seed=seed)
        with _busy_cores():
            busy, underruns = await _round(song, starts=starts, seed=seed + 1)
    figures = {"starts": starts, **told.spread("", idle, digits=3), "underruns": idle_underruns}
    figures |= {**told.spread("busy_", busy, digits=3), "busy_underruns": underruns}
    return figures | {"unheard": 2 * starts - len(idle) - len(busy)}


async def _round(song: Path, *, starts: int, seed: int) -> tuple[list[float], int]:
    clock, shelf = LoopClock(), MediaShelf()
    board = SimBoard(clock, keep_s=10)
    engine = Engine.on(board, clock=clock, player=PyAvPlayer(), store=shelf, voice=ToneVoice())
    chance = random.Random(seed)
    async with engine:
        media = shelf.put(song, duration_ms=4000)
        world = _World(clock, board, engine, media, await _first_audible_ms(song))
        await _warm_up(world)
        errors = [await _one_start(world, in_ms=chance.randint(*_AHEAD_MS)) for _ in range(starts)]
    return [error for error in errors if error is not None], board.sound_card.underruns


async def _warm_up(world: _World) -> None:
    """The amplifier is on from the first start to the last; its own lead-in is not the question here."""
    await _one_start(world, in_ms=2500)


async def _one_start(world: _World, *, in_ms: int) -> float | None:
    now = world.clock.now()
    at, start = MonoMs(now.mono + in_ms), WallMs(now.wall + in_ms)
    output = ProgrammeOutput(Rung.ORDINARY, "document", "song", start, start, world.media)
    await world.engine.switch(output, at=at)
    await world.clock.sleep_until(MonoMs(at + _HEARD_MS))
    heard = world.board.horn.heard(start - float(_HEARD_MS), start + float(_HEARD_MS))
    audible = _first_audible(heard.samples)
    return None if audible is None else abs(_place(heard, audible) - start - world.first_audible_ms)


def _place(heard: Heard, sample: int) -> float:
    return heard.began_ms + sample / SAMPLES_PER_MS


def _first_audible(samples: bytes) -> int | None:
    loud = np.flatnonzero(np.abs(np.frombuffer(samples, dtype="<i2").astype(np.int32)) > _AUDIBLE)
    return int(loud[0]) if len(loud) else None


async def _first_audible_ms(song: Path) -> float:
    """When the programme itself passes the threshold, with the ramp that every start has."""
    source = await PyAvPlayer().open(song)
    frame = await source.read() or bytes(FRAME_SAMPLES * 2)
    await source.close()
    wave = np.frombuffer(frame, dtype="<i2").astype(np.float64)
    ramp = np.minimum(1.0, np.arange(1, len(wave) + 1) / RAMP_SAMPLES)
    return (_first_audible((wave * ramp).astype("<i2").tobytes()) or 0) / SAMPLES_PER_MS


@contextmanager
def _busy_cores() -> Iterator[None]:
    """Two processes that do nothing but work; they end by themselves if nobody ends them."""
    command = [sys.executable, "-c", _BURN.format(_BURN_S_MAX)]
    burners = [subprocess.Popen(command) for _ in range(_BURNERS)]  # noqa: S603
    try:
        time.sleep(0.5)
        yield
    finally:
        for burner in burners:
            burner.terminate()
            burner.wait()


def main(argv: list[str]) -> int:
    """Prints the figure."""
    parser = told.parser(
        "start-error", __doc__, peers="liquidsoap and cron with mpd begin a file at the same minutes"
    )
    parser.add_argument("--starts", type=int, default=STARTS)
    parser.add_argument("--minutes", type=int, default=MINUTES, help="with --peers: so many starts, one a minute")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.ERROR)
    lacking = {peer: missing(peer) for peer in PEERS if options.peers}
    figures: dict[str, told.Value] = {**asyncio.run(measure(starts=options.starts))}
    if options.peers:
        with tempfile.TemporaryDirectory(prefix="start-error-") as name:
            peers = told.present(lacking)
            figures |= asyncio.run(measure_minutes(minutes=options.minutes, peers=peers, folder=Path(name)))
    told.tell(figures | told.ground("python-vlc"), as_json=options.json)
    return told.lack(lacking)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
