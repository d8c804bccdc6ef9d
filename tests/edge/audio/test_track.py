"""A track whose source stumbles: no step is heard, whatever is missing."""

from __future__ import annotations

import asyncio
from array import array

import pytest

from edge.audio.feed import Feed
from edge.audio.track import Track
from edge.core.output import MicrophoneOutput, Rung
from edge.ports import FRAME_SAMPLES, SoundSource
from protocol.clock import WallMs
from simulators.listening import largest_step


class Stumbling(SoundSource):
    """A constant, with a wait before some frames."""

    def __init__(self, *, wait_before: dict[int, float], frames: int = 40) -> None:
        self._waits = wait_before
        self._frames = frames
        self._count = 0

    async def read(self) -> bytes | None:
        await asyncio.sleep(self._waits.get(self._count, 0))
        self._count += 1
        return array("h", [9000] * FRAME_SAMPLES).tobytes() if self._count <= self._frames else None

    async def close(self) -> None:
        """Nothing is held."""


async def played(source: SoundSource, *, piece: int, pieces: int) -> bytes:
    track = Track(MicrophoneOutput(Rung.MICROPHONE), Feed(source), began=WallMs(0))
    await track.feed.primed()
    sound = b""
    for _ in range(pieces):
        sound += track.render(piece)
        await asyncio.sleep(piece / 48_000)
    await track.feed.close()
    return sound


@pytest.mark.parametrize("wait_s", [0.21, 0.225, 0.3])
@pytest.mark.parametrize("piece", [37, 960])
async def test_stumble_is_soft(wait_s: float, piece: int) -> None:
    sound = await played(Stumbling(wait_before={10: wait_s}), piece=piece, pieces=48_000 // piece)
    assert largest_step(sound) <= 2 * 9000 // 960 + 2
    assert min(array("h", sound)[2000:20_000]) < 8000, "it did stumble"


async def test_end_in_sight_is_faded_out() -> None:
    sound = await played(Stumbling(wait_before={}, frames=20), piece=960, pieces=25)
    assert largest_step(sound) <= 12
    assert array("h", sound)[20 * 960 - 1] == 0
