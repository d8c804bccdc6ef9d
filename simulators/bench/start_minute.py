"""The part of `start-error` that has neighbours: everybody begins the same file at the same full minute.

A minute, because cron knows no shorter time. Judged by cross-correlation: a stretch of the file is looked for in what
was heard around the minute, and where it stands says when the file began. Ours is planned eight seconds ahead, as the
agent's core does it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.audio.engine import Engine
from edge.core.output import ProgrammeOutput, Rung
from hardware.vlc_player import VlcPlayer
from protocol.clock import MonoMs, WallMs
from simulators.bench import told
from simulators.bench.pipe_ear import PipeEar
from simulators.bench.start_error_peers import open_peer, versions
from simulators.board import SimBoard
from simulators.encoder import encode
from simulators.listening import find
from simulators.loop_clock import LoopClock
from simulators.media_shelf import MediaShelf
from simulators.melody import melody
from simulators.tone_voice import ToneVoice

MINUTES: Final = 10
_SONG_MS: Final = 5000
_PIECE_MS: Final = (500, 1000)
_BEFORE_S: Final = 2.0
_AFTER_S: Final = 6.0
_AHEAD_S: Final = 8.0
_MINUTE_S: Final = 60
_CORRELATION_MIN: Final = 0.8
_BYTES_A_MS: Final = 96

Heard = Callable[[float, float], tuple[float, bytes]]
"""Samples between two wall times in s, and the wall time of the first."""


@dataclass(frozen=True, slots=True)
class Ours:
    """The real engine and player on a simulated card."""

    clock: LoopClock
    board: SimBoard
    engine: Engine
    shelf: MediaShelf
    song: Path

    async def plan(self, minute_s: float) -> None:
        """Begins the song at that wall time."""
        start = WallMs(round(minute_s * 1000))
        media = self.shelf.put(self.song, duration_ms=_SONG_MS)
        output = ProgrammeOutput(Rung.ORDINARY, "document", "song", start, start, media)
        await self.engine.switch(output, at=MonoMs(start - self.clock.offset_ms))

    def heard(self, begin_s: float, end_s: float) -> tuple[float, bytes]:
        """See `Heard`."""
        found = self.board.horn.heard(begin_s * 1000, end_s * 1000)
        return found.began_ms / 1000, found.samples


@asynccontextmanager
async def ours(song: Path) -> AsyncIterator[Ours]:
    """Runs it until the block ends."""
    clock, shelf = LoopClock(), MediaShelf()
    board = SimBoard(clock, keep_s=30)
    engine = Engine.on(board, clock=clock, player=VlcPlayer(), store=shelf, voice=ToneVoice())
    async with engine:
        yield Ours(clock, board, engine, shelf, song)


def start_s(piece: bytes, heard: Heard, minute_s: float) -> float | None:
    """When the song began that has this piece half a second after its beginning; None when it is not there."""
    began_s, samples = heard(minute_s - _BEFORE_S, minute_s + _AFTER_S)
    if len(samples) <= len(piece) or not any(samples):
        return None
    found = find(piece, samples)
    return began_s + (found.offset_ms - _PIECE_MS[0]) / 1000 if found.correlation >= _CORRELATION_MIN else None


async def measure(*, minutes: int, peers: Sequence[str], folder: Path) -> dict[str, told.Value]:
    """Ours as `minute_...`, each peer's under its own name. Raises RuntimeError when a peer does not run."""
    samples = melody(7, duration_ms=_SONG_MS)
    song = await asyncio.to_thread(encode, samples, folder / "song.wav")
    piece = samples[_PIECE_MS[0] * _BYTES_A_MS : _PIECE_MS[1] * _BYTES_A_MS]
    errors: dict[str, list[float]] = {name: [] for name in ("minute", *peers)}
    async with AsyncExitStack() as stack:
        us = await stack.enter_async_context(ours(song))
        listeners: dict[str, Heard] = {"minute": us.heard}
        for peer in peers:
            listeners[peer] = _by_the_wall(await open_peer(stack, peer, song, folder / peer))
        for _ in range(minutes):
            minute_s = (int(time.time() + _AHEAD_S) // _MINUTE_S + 1) * _MINUTE_S
            await asyncio.sleep(minute_s - _AHEAD_S - time.time())
            await us.plan(minute_s)
            await asyncio.sleep(minute_s + _AFTER_S + 1 - time.time())
            for name, heard in listeners.items():
                began_s = await asyncio.to_thread(start_s, piece, heard, float(minute_s))
                errors[name] += [abs(began_s - minute_s) * 1000] if began_s is not None else []
    figures: dict[str, told.Value] = {"minutes": minutes}
    for name, found in errors.items():
        figures |= {**told.spread(f"{name}_", found, digits=2), f"{name}_unheard": minutes - len(found)}
    for peer in peers:
        if errors[peer] and errors["minute"]:
            ratio = told.ratio(float(figures["minute_p50_ms"]), float(figures[f"{peer}_p50_ms"]))
            figures[f"ratio_{peer}"] = ratio
    return figures | versions(peers)


def _by_the_wall(ear: PipeEar) -> Heard:
    def heard(begin_s: float, end_s: float) -> tuple[float, bytes]:
        offset_s = time.time() - time.monotonic()
        began_s, samples = ear.heard(begin_s - offset_s, end_s - offset_s)
        return began_s + offset_s, samples.astype("<i2").tobytes()

    return heard
