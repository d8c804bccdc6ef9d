"""An alert as one endless source: attention tone, each part, a gap, and again.

The tone comes from memory. While it sounds, the first part is got ready; while a part sounds, the next. A part that
is not ready lets the pause grow, never the tone wait. A part is the recording when that is stored and sound, else the
local voice; a recording that arrives later is used from the next round on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import Final

from edge.audio.tone import tone_frames
from edge.core.output import AlertOutput
from edge.ports import FRAME_MS, SILENT_FRAME, MediaError, MediaStore, Player, PortError, SoundSource, Voice
from protocol.alert import Part

PART_PAUSE_MS: Final = 400
"""Between the tone and the words, and between two languages: an ear needs a moment."""
PART_WAIT_MS_MAX: Final = 10_000
"""A part that takes longer is left out of this round: with the gap it stays under the 30 s of EN 54-16."""

_log = logging.getLogger(__name__)


class AlertSource:
    """Frames of an alert until it is closed."""

    def __init__(self, output: AlertOutput, *, player: Player, voice: Voice, store: MediaStore) -> None:
        self._output = output
        self._player = player
        self._voice = voice
        self._store = store
        self._tone = tone_frames(output.tone, output.tone_ms)
        self._damaged: set[str] = set()
        self._getting: asyncio.Task[SoundSource | None] | None = None
        self._part: SoundSource | None = None
        self._frames = self._rounds()

    async def read(self) -> bytes | None:
        """The next frame; an alert has no end of its own."""
        return await anext(self._frames)

    async def close(self) -> None:
        """Ends the rounds and whatever is being got ready."""
        await self._frames.aclose()
        await self._close_part()
        getting, self._getting = self._getting, None
        if getting is not None:
            getting.cancel()
            await _close_result(getting)

    async def _rounds(self) -> AsyncGenerator[bytes, None]:
        while True:
            self._get_ready(0)
            for tone_frame in self._tone:
                yield tone_frame
            for index in range(len(self._output.parts)):
                async for frame in self._one_part(index):
                    yield frame
            for gap in _silence(self._output.gap_ms):
                yield gap

    async def _one_part(self, index: int) -> AsyncGenerator[bytes, None]:
        for pause in _silence(PART_PAUSE_MS):
            yield pause
        waited = _silence(PART_WAIT_MS_MAX)
        while self._getting is not None and not self._getting.done() and next(waited, None):
            yield SILENT_FRAME
        self._part = self._ready_part()
        if index + 1 < len(self._output.parts):
            self._get_ready(index + 1)
        while (frame := await self._read_part(index)) is not None:
            yield frame
        await self._close_part()

    def _get_ready(self, index: int) -> None:
        """Starts to get a part; one that is still under way is waited for instead."""
        if self._getting is None:
            self._getting = asyncio.create_task(self._open(self._output.parts[index]), name="alert part")

    def _ready_part(self) -> SoundSource | None:
        if self._getting is None or not self._getting.done():
            return None
        done, self._getting = self._getting, None
        return done.result()

    async def _open(self, part: Part) -> SoundSource | None:
        try:
            return await self._open_recording(part) or await self._voice.speak(part.text, part.language)
        except PortError as error:
            _log.warning("a part in %s is left out: %s", part.language, error)
            return None

    async def _open_recording(self, part: Part) -> SoundSource | None:
        if part.media is None or part.media.digest in self._damaged:
            return None
        path = self._store.path(part.media.digest)
        if path is None:
            return None
        try:
            return await self._player.open(path)
        except MediaError as error:
            _log.warning("the recording of a part is spoken instead: %s", error)
            self._damaged.add(part.media.digest)
            return None

    async def _read_part(self, index: int) -> bytes | None:
        if self._part is None:
            return None
        try:
            return await self._part.read()
        except PortError as error:
            _log.warning("a part broke off: %s", error)
            media = self._output.parts[index].media
            if media is not None:
                self._damaged.add(media.digest)
            return None

    async def _close_part(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            await part.close()


async def _close_result(task: asyncio.Task[SoundSource | None]) -> None:
    await asyncio.wait([task])
    source = None if task.cancelled() else task.result()
    if source is not None:
        await source.close()


def _silence(duration_ms: int) -> Iterator[bytes]:
    return (SILENT_FRAME for _ in range(duration_ms // FRAME_MS))
