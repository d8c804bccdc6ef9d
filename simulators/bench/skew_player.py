"""One player of the figure `skew`, a process as a device is: real engine, real player, a card with its own crystal.

`python -m simulators.bench.skew_player MEDIA DURATION-MS ERROR-PPM OUT` prints a line when it is ready, is told the
programme's start as wall time in ms, and writes what its horn made heard: samples into OUT, and prints the monotonic
instant of the first of them, the same for all processes of this machine.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Final

from edge.audio.engine import Engine
from edge.core.output import ProgrammeOutput, Rung
from hardware.vlc_player import VlcPlayer
from protocol.clock import MonoMs, WallMs
from simulators.bench.foremost import go_first
from simulators.board import SimBoard
from simulators.loop_clock import LoopClock
from simulators.media_shelf import MediaShelf
from simulators.tone_voice import ToneVoice

_AFTER_MS: Final = 500


async def play(media: Path, *, duration_ms: int, error_ppm: float, out: Path) -> None:
    """See the module."""
    clock, shelf = LoopClock(), MediaShelf()
    board = SimBoard(clock, keep_s=duration_ms // 1000 + 10)
    board.sound_card.error_ppm = error_ppm
    engine = Engine.on(board, clock=clock, player=VlcPlayer(), store=shelf, voice=ToneVoice())
    async with engine:
        named = shelf.put(media, duration_ms=duration_ms)
        print("ready", flush=True)
        start = WallMs(int(await asyncio.to_thread(sys.stdin.readline)))
        output = ProgrammeOutput(Rung.ORDINARY, "document", "song", start, start, named)
        at = MonoMs(start - clock.offset_ms)
        await engine.switch(output, at=at)
        await clock.sleep_until(MonoMs(at + duration_ms + _AFTER_MS))
        heard = board.horn.heard(float(start))
        await asyncio.to_thread(out.write_bytes, heard.samples)
    told = {"began_s": (heard.began_ms - clock.offset_ms) / 1000, "underruns": board.sound_card.underruns}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    go_first()
    work = play(Path(sys.argv[1]), duration_ms=int(sys.argv[2]), error_ppm=float(sys.argv[3]), out=Path(sys.argv[4]))
    asyncio.run(work)
