"""A switch that has not happened yet: its source is opened and read ahead, and then placed to the sample."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from edge.audio.card_clock import Line
from edge.audio.source import OFFSET_SLACK_MS, Audible, Opened, SourceOpener
from edge.core.output import FmOutput, LiveOutput, MicrophoneOutput, Output, ProgrammeOutput, Silence
from edge.ports import SAMPLE_RATE, Clock, PortError
from protocol.clock import MonoMs, WallMs

_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000
_OPEN_AHEAD_MS: Final = 10_000
_OPEN_PACED_AHEAD_MS: Final = 200
_OPEN_STATION_AHEAD_MS: Final = 500
_STAY_SAMPLES_MAX: Final = SAMPLE_RATE // 5
_SKIP_SAMPLES_MAX: Final = 2 * SAMPLE_RATE
"""A source that begins further back is opened again nearer to the place: cheaper than decoding what nobody hears."""
_SLOW_MS_MAX: Final = 60_000

_log = logging.getLogger(__name__)


class Cue:
    """An output and the instant from which it shall sound.

    Args:
        ready_at: tells when sound can come through at the earliest.
        tell: called when its source is open, or will never be.
    """

    def __init__(
        self,
        output: Output,
        at: MonoMs,
        *,
        opener: SourceOpener,
        clock: Clock,
        ready_at: Callable[[MonoMs], MonoMs],
        tell: Callable[[], None],
    ) -> None:
        self.output = output
        self.at = at
        self._opener = opener
        self._clock = clock
        self._ready_at = ready_at
        self._tell = tell
        self._opening: asyncio.Task[Opened] | None = None
        self._slow_ms = 0
        if not isinstance(output, Silence):
            self._start(output)

    def same(self, output: Output, at: MonoMs) -> bool:
        """Whether this is that very switch."""
        return self.output.key == output.key and self.at == at

    @property
    def ready(self) -> bool:
        """Whether its source is open, or will never be."""
        return self._opening is not None and self._opening.done()

    @property
    def broken(self) -> bool:
        """Whether its source has failed before anybody heard it."""
        if self._opening is None or not self._opening.done() or self._opening.cancelled():
            return False
        return self._opening.exception() is not None or self._opening.result().feed.failing

    def take(self) -> Opened | None:
        """The source when it is ready, None while it is not.

        Raises:
            PortError: there will be none.
        """
        if self._opening is None or not self._opening.done():
            return None
        opening, self._opening = self._opening, None
        return _result(opening)

    def place(self, opened: Opened, *, begin: int, line: Line) -> int | None:
        """The sample at which it begins, at the earliest `begin`; None when it has to be opened again.

        A programme's feed is moved on, so that what sounds belongs to the wall-clock offset.
        """
        output = self.output
        if not isinstance(output, ProgrammeOutput) or opened.offset_ms is None:
            return begin
        belongs = line.position_at(line.mono_of(WallMs(output.origin + opened.offset_ms)))
        late = begin - belongs
        if late > _SKIP_SAMPLES_MAX or late < -_SKIP_SAMPLES_MAX - self._slow_ms * _SAMPLES_PER_MS:
            # Opened in the same way it would be as late again, for ever: it is aimed ahead by what it took.
            self._slow_ms = min(self._slow_ms + max(0, late) * 5 // 4 // _SAMPLES_PER_MS, _SLOW_MS_MAX)
            self._start(output)
            return None
        if late > OFFSET_SLACK_MS * _SAMPLES_PER_MS:
            opened.feed.skip(late)
        return max(begin, belongs) if late < -OFFSET_SLACK_MS * _SAMPLES_PER_MS else begin

    def belongs_at(self, line: Line) -> int:
        """The sample at which an open programme begins, if that is a moment ahead: what sounds stays till then."""
        if not isinstance(self.output, ProgrammeOutput) or self._opening is None or not self.ready or self.broken:
            return 0
        offset_ms = self._opening.result().offset_ms or 0
        belongs = line.position_at(line.mono_of(WallMs(self.output.origin + offset_ms)))
        return belongs if belongs < line.end + _STAY_SAMPLES_MAX else 0

    def put_back(self, opened: Opened) -> None:
        """Keeps a source whose time has not quite come."""
        self._opening = asyncio.create_task(_ready(opened))

    async def drop(self) -> None:
        """Lets go of a source that will not be needed."""
        opening, self._opening = self._opening, None
        if opening is None:
            return
        opening.cancel()
        await asyncio.wait([opening])
        if not opening.cancelled() and opening.exception() is None:
            await opening.result().feed.close()

    def _start(self, output: Audible) -> None:
        self._opening = asyncio.create_task(self._open(output), name=f"open {output.key}")
        self._opening.add_done_callback(lambda _: self._tell())

    async def _open(self, output: Audible) -> Opened:
        await self._clock.sleep_until(MonoMs(self.at - _ahead_ms(output)))
        now = self._clock.now()
        begins = max(self.at, MonoMs(self._ready_at(now.mono) + self._slow_ms))
        return await self._opener.open(output, begins=WallMs(now.wall + begins - now.mono))


def _ahead_ms(output: Audible) -> int:
    """How long before its instant a source is opened; one that sounds as it comes would grow old."""
    if isinstance(output, FmOutput):
        return _OPEN_STATION_AHEAD_MS
    return _OPEN_PACED_AHEAD_MS if isinstance(output, MicrophoneOutput | LiveOutput) else _OPEN_AHEAD_MS


def _result(opening: asyncio.Task[Opened]) -> Opened:
    try:
        return opening.result()
    except PortError:
        raise
    except Exception as error:
        _log.exception("a source is at fault")
        raise PortError(str(error)) from error


async def _ready(opened: Opened) -> Opened:
    return opened
