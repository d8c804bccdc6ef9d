"""Ears in the story: what a horn made audible, compared with what it should have been."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from edge.ports import SAMPLE_RATE
from simulators.device import SimDevice
from simulators.horn import Heard
from simulators.listening import Found, find, level_cdb
from simulators.player import PyAvPlayer
from simulators.story.steps import check

CORRELATION_MIN: Final = 0.7
"""Another stretch of the same speech reaches about 0.3, noise 0.1; the same one after coding and limiter 0.95."""
UNBROKEN_MIN: Final = 0.98
"""A gap of 300 ms in seven seconds costs more than this leaves."""
SILENT_CDB: Final = -6000
_AROUND_MS: Final = 300
_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples of something that is looked for."""

    samples: bytes

    @property
    def duration_ms(self) -> int:
        """Its length."""
        return len(self.samples) // 2 // _SAMPLES_PER_MS

    def part(self, begin_ms: float, end_ms: float) -> bytes:
        """Samples between two places."""
        return self.samples[round(begin_ms) * _SAMPLES_PER_MS * 2 : round(end_ms) * _SAMPLES_PER_MS * 2]


async def fetched(controller: str, media: dict[str, Any]) -> Sound:
    """A programme as the controller gives it out to devices, decoded."""
    async with aiohttp.ClientSession() as session, session.get(f"{controller}/media/{media['digest']}") as answer:
        check(answer.status == 200, f"the controller does not give out {media['digest'][:12]}: {answer.status}")
        data = await answer.read()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "media.opus"
        await asyncio.to_thread(path.write_bytes, data)
        source = await PyAvPlayer().open(path)
        frames = []
        while (frame := await source.read()) is not None:
            frames.append(frame)
        await source.close()
    return Sound(b"".join(frames))


class Ear:
    """Someone who stands under one device's horn."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device

    async def until(self, wall_ms: float) -> None:
        """Returns when everything up to an instant has been heard."""
        await asyncio.sleep(max(0.0, wall_ms - self._device.clock.now().wall + 50) / 1000)

    async def programme(self, sound: Sound, begin_ms: float, end_ms: float, *, start_ms: float) -> Found:
        """Looks for a stretch of a programme where it belongs; the offset is the error in milliseconds.

        Args:
            begin_ms, end_ms: place within the programme.
            start_ms: wall time of the programme's first sample.
        """
        end_ms = min(end_ms, sound.duration_ms)
        await self.until(start_ms + end_ms + _AROUND_MS)
        first_ms = start_ms + begin_ms - _AROUND_MS
        heard = self._device.board.horn.heard(first_ms, start_ms + end_ms + _AROUND_MS)
        found = await asyncio.to_thread(find, sound.part(begin_ms, end_ms), heard.samples)
        return Found(heard.began_ms + found.offset_ms - (start_ms + begin_ms), found.correlation)

    async def somewhere(self, samples: bytes, begin_ms: float, end_ms: float) -> Found:
        """Looks for a sound anywhere between two instants; the offset counts from the first one."""
        await self.until(end_ms)
        heard = self._device.board.horn.heard(begin_ms, end_ms)
        found = await asyncio.to_thread(find, samples, heard.samples)
        return Found(heard.began_ms + found.offset_ms - begin_ms, found.correlation)

    async def piece_of(self, whole: bytes, begin_ms: float, end_ms: float) -> Found:
        """Looks whether what was heard between two instants is a piece of a programme that goes round."""
        await self.until(end_ms)
        heard = self._device.board.horn.heard(begin_ms, end_ms)
        check(self._audible(heard), f"{self._device.device} is silent")
        return await asyncio.to_thread(find, heard.samples, whole + whole[: len(heard.samples)])

    @staticmethod
    def _audible(heard: Heard) -> bool:
        return level_cdb(heard, heard.began_ms, heard.ended_ms) > SILENT_CDB

    async def level_cdb(self, begin_ms: float, end_ms: float) -> int:
        """Mean level between two instants."""
        await self.until(end_ms)
        return level_cdb(self._device.board.horn.heard(begin_ms, end_ms), begin_ms, end_ms)

    async def sound(self, begin_ms: float, end_ms: float) -> None:
        """Raises StoryError when nothing was heard between two instants."""
        level = await self.level_cdb(begin_ms, end_ms)
        check(level > SILENT_CDB, f"{self._device.device} is silent and should sound")

    async def silence(self, begin_ms: float, end_ms: float) -> None:
        """Raises StoryError when anything was heard between two instants."""
        level = await self.level_cdb(begin_ms, end_ms)
        check(level <= SILENT_CDB, f"{self._device.device} should be silent and is at {level / 100:.1f} dBFS")


def check_found(found: Found, what: str, *, least: float = CORRELATION_MIN) -> None:
    """Raises StoryError unless it was really heard."""
    check(found.correlation >= least, f"{what} is not in the samples: correlation {found.correlation:.2f}")
