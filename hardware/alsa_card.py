"""A sound card by ALSA: frames in, sound out, and one always knows when a frame will be heard.

**Latency.** The card holds `depth_ms` (100 ms unless told otherwise): so long it takes from a written frame to
the connector, plus what the driver does not tell (a USB card some 2 ms, I2S none). A standing card starts with 40
ms of silence, so its first frame is heard 40 ms after it was written. Each time the card runs dry the depth grows
by a frame, up to 180 ms: a busy machine gets the buffer it needs, an idle one keeps people's own voice close
behind them.

**Pace.** Pacing is done here, by the line of `alsa_line`, not by waiting inside ALSA: so cards and ALSA's `null`
and `file`, which do not pace, behave alike. The calls themselves run in a thread of their own.

**What may happen to it.** A card that runs dry or wakes from suspension is counted in `xruns` and goes on, the
frame at hand first. One that is gone raises CardLostError; the next write looks for it by its name again,
wherever it is plugged in now, and opens it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from hardware.alsa_lane import PATIENCE_S, AlsaLane, DriverHungError
from hardware.alsa_mixer import set_mixer
from hardware.alsa_names import Direction
from hardware.alsa_pcm import PERIODS, load_library, open_pcm
from hardware.alsa_playback import LEAD_MS, Place, Playback, now_ms
from hardware.errors import CardLostError
from hardware.interfaces import FRAME_BYTES, FRAME_MS

T = TypeVar("T")

DEPTH_MS: Final = 5 * FRAME_MS
_DEPTH_MS_MAX: Final = (PERIODS - 1) * FRAME_MS
_UNTOLD_MS: Final = 5
"""Left in a card's own memory when its driver believes that all has sounded."""

_log = logging.getLogger(__name__)


class AlsaCard:
    """Implements `hardware.interfaces.SoundCard`.

    Args:
        name: see `hardware.alsa_names`.
        mixer: name of the card's volume control, to be set at each opening; None leaves it alone.
        depth_ms: what the card holds at first.
        patience_s: a driver that has not answered for so long has lost its card.
        library: pyalsaaudio, or what behaves like it.
        root: where /proc and /sys are.

    Attributes:
        xruns: how often the card ran dry or was suspended.
        opened: how often it was opened.
    """

    def __init__(
        self,
        name: str,
        *,
        mixer: str | None = None,
        depth_ms: int = DEPTH_MS,
        patience_s: float = PATIENCE_S,
        library: Any = None,
        root: Path = Path("/"),
    ) -> None:
        self._name, self._mixer, self._least_ms = name, mixer, depth_ms
        self._library, self._root = library, root
        self._lane = AlsaLane(f"sound card {name}", patience_s=patience_s)
        self._place = Place()
        self.xruns = 0
        self.opened = 0

    @property
    def depth_ms(self) -> int:
        """How far ahead of the sound it is written now."""
        playback = self._place.playback
        most_ms = _DEPTH_MS_MAX if playback is None else playback.buffer_ms - FRAME_MS
        return min(self._least_ms + self.xruns * FRAME_MS, max(most_ms, 2 * FRAME_MS))

    def delay_ms(self) -> float:
        """See `hardware.interfaces.SoundCard`."""
        playback = self._place.playback
        return LEAD_MS if playback is None else playback.line.delay_ms(now_ms())

    async def write(self, frame: bytes) -> None:
        """See `hardware.interfaces.SoundCard`."""
        assert len(frame) == FRAME_BYTES
        place = self._place
        ahead_ms = await self._run(lambda: self._write(place, frame))
        await asyncio.sleep(max(0.0, ahead_ms + FRAME_MS - self.depth_ms) / 1000)

    async def drain(self) -> None:
        """See `hardware.interfaces.SoundCard`."""
        playback = self._place.playback
        if playback is None or not playback.line.running:
            return
        await asyncio.sleep((playback.line.ahead_ms(now_ms()) + _UNTOLD_MS) / 1000)
        await self._quietly(self._place.stop)

    async def close(self) -> None:
        """Lets go of the card, and of what it has not sounded yet."""
        await self._quietly(self._place.close)
        self._lane.close()

    async def _quietly(self, call: Callable[[], None]) -> None:
        try:
            await self._run(call)
        except CardLostError as error:
            _log.debug("%s went while it fell silent: %s", self._name, error)

    async def _run(self, call: Callable[[], T]) -> T:
        place = self._place
        try:
            return await self._lane.run(call, given_up=place.close)
        except DriverHungError:
            if self._place is place:
                self._place = Place()
            raise
        except CardLostError:
            raise
        except Exception as error:
            raise CardLostError(f"{self._name} is at fault: {error}") from error

    # What follows runs in the lane's thread.

    def _write(self, place: Place, frame: bytes) -> float:
        """Answers how much is still to be heard."""
        playback = place.playback or self._open()
        place.playback = playback
        try:
            playback.write(frame)
        except Exception:  # whatever it is: kept open it would fail for ever, also when the card is back
            place.close()
            raise
        finally:
            self.xruns = max(self.xruns, playback.xruns)
        return playback.line.ahead_ms(now_ms())

    def _open(self) -> Playback:
        library = self._library or load_library()
        pcm = open_pcm(self._name, Direction.PLAYBACK, library=library, root=self._root)
        self.opened += 1
        if self._mixer and pcm.card_number is not None:
            set_mixer(self._mixer, Direction.PLAYBACK, card_number=pcm.card_number, library=library)
        playback = Playback(pcm, xruns=self.xruns)
        _log.info("%s is %s, with %s ms of buffer", self._name, pcm.device, playback.buffer_ms)
        return playback
