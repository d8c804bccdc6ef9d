"""Opens the right source for each output, with its first frames read ahead."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.audio.alert_source import AlertSource
from edge.audio.feed import Feed
from edge.audio.live_source import LiveBuffer, LiveFeed
from edge.audio.stream_feed import StreamFeed
from edge.core.output import (
    AlertOutput,
    FmOutput,
    LiveOutput,
    MessageOutput,
    MicrophoneOutput,
    ProgrammeOutput,
    StreamOutput,
)
from edge.ports import CardLostError, Clock, FmTuner, MediaError, MediaStore, Microphone, Player, Voice
from protocol.bulletin import MediaRef
from protocol.clock import WallMs

Audible = MicrophoneOutput | MessageOutput | AlertOutput | ProgrammeOutput | LiveOutput | FmOutput | StreamOutput
_STREAM_S_MAX: Final = 20.0
"""A station answers within ten seconds or not at all, and then fills three."""
_STATION_FRAMES: Final = 8
"""160 ms: nobody minds hearing a station a moment late, and a busy moment of the machine is bridged."""
_SESSIONS_MAX: Final = 2
OFFSET_SLACK_MS: Final = 3
"""Wall and monotonic clock are whole milliseconds, rounded apart: a start this close to the beginning is one."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that is ready.

    Attributes:
        offset_ms: the place in the media where it begins; None for a source without one.
    """

    feed: Feed
    offset_ms: int | None = None


class SourceOpener:
    """Everything sound can come from."""

    def __init__(
        self,
        *,
        clock: Clock,
        player: Player,
        store: MediaStore,
        voice: Voice,
        microphone: Microphone,
        tuner: FmTuner | None,
    ) -> None:
        self._clock = clock
        self._player = player
        self._store = store
        self._voice = voice
        self._microphone = microphone
        self._tuner = tuner
        self._live: OrderedDict[str, LiveBuffer] = OrderedDict()

    def feed_live(self, session_id: str, counter: int, packets: tuple[bytes, ...]) -> None:
        """Keeps sound of a session, also before its output is chosen."""
        self._buffer(session_id).feed(counter, packets)

    async def open(self, output: Audible, *, begins: WallMs) -> Opened:
        """A feed with its first frames in it.

        Args:
            begins: when the first sample is expected to leave.

        Raises:
            PortError: there is no such sound.
        """
        opened = await self._open(output, begins)
        try:
            async with asyncio.timeout(_STREAM_S_MAX if isinstance(output, StreamOutput) else None):
                await opened.feed.primed()
        except TimeoutError:
            await opened.feed.close()
            raise MediaError("the stream gives too little") from None
        except asyncio.CancelledError:
            await opened.feed.close()
            raise
        if opened.feed.ended:
            await opened.feed.close()
            raise opened.feed.failure or MediaError("the source holds no sound")
        return opened

    async def _open(self, output: Audible, begins: WallMs) -> Opened:
        match output:
            case ProgrammeOutput():
                return await self._programme(output, media_offset_ms(output, begins))
            case AlertOutput():
                alert = AlertSource(output, player=self._player, voice=self._voice, store=self._store)
                return Opened(Feed(alert))
            case LiveOutput():
                decoder = self._player.packet_decoder()
                return Opened(LiveFeed(self._buffer(output.session_id), decoder, self._clock))
            case MessageOutput():
                return Opened(Feed(await self._player.open(self._path(output.media))))
            case StreamOutput():
                return Opened(StreamFeed(await self._player.open_stream(output.address)))
            case MicrophoneOutput():
                return Opened(Feed(await self._microphone.open(), paced=True))
            case FmOutput():
                return Opened(await self._station(output.frequency_khz))

    async def _programme(self, output: ProgrammeOutput, offset_ms: int) -> Opened:
        source = await self._player.open(self._path(output.media), offset_ms=offset_ms)
        return Opened(Feed(source, keeps_time=True), offset_ms)

    def _path(self, media: MediaRef) -> Path:
        path = self._store.path(media.digest)
        if path is None:
            raise MediaError(f"sound {media.digest[:12]} is not stored")
        return path

    async def _station(self, frequency_khz: int) -> Feed:
        if self._tuner is None:
            raise CardLostError("this device has no FM tuner")
        await self._tuner.tune(frequency_khz)
        return Feed(await self._tuner.open(), paced=True, gather_frames=_STATION_FRAMES)

    def _buffer(self, session_id: str) -> LiveBuffer:
        buffer = self._live.get(session_id)
        if buffer is None:
            buffer = self._live[session_id] = LiveBuffer(self._clock)
            if len(self._live) > _SESSIONS_MAX:
                self._live.popitem(last=False)
        return buffer


def media_offset_ms(output: ProgrammeOutput, wall: WallMs) -> int:
    """The place in the media that belongs to an instant."""
    offset_ms = wall - output.origin
    return offset_ms if offset_ms > OFFSET_SLACK_MS else 0
