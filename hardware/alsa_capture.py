"""Sound from an input of a sound card: the microphone, or the tuner's line.

Frames of 20 ms are read when somebody asks for them; nothing runs for nobody. Who comes late hears the present:
what waits in the card beyond `_KEPT` frames is thrown away, and a card that has run over starts anew by itself.

**Latency.** A frame is handed over when its last sample has been captured, so its first one is 20 ms old, plus
what the driver does not tell (USB some 2 ms).

Who opens it takes it over, and whoever had it before reads its end: a person may press the button again while the
engine is still letting go of the former opening, and a device cannot be opened twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from hardware.alsa_lane import PATIENCE_S, AlsaLane, DriverHungError
from hardware.alsa_mixer import set_mixer
from hardware.alsa_names import Direction
from hardware.alsa_pcm import AlsaPcm, XrunError, load_library, open_pcm
from hardware.errors import CardLostError
from hardware.interfaces import FRAME_BYTES, FRAME_MS, FRAME_SAMPLES, SoundSource

T = TypeVar("T")

_KEPT: Final = 3
"""Frames that may wait for a reader that is held up for a moment."""
_TRIES: Final = 3

_log = logging.getLogger(__name__)


class AlsaCapture:
    """An input; the last who opened it hears it.

    Args:
        name: see `hardware.alsa_names`.
        mixer: name of the input's volume control, to be set at each opening; None leaves it alone.
        patience_s: a driver that has not answered for so long has lost its card.
        library: pyalsaaudio, or what behaves like it.
        root: where /proc and /sys are.

    Attributes:
        xruns: how often nobody read for so long that the card ran over.
    """

    def __init__(
        self,
        name: str,
        *,
        mixer: str | None = None,
        patience_s: float = PATIENCE_S,
        library: Any = None,
        root: Path = Path("/"),
    ) -> None:
        self._name, self._mixer, self._library, self._root = name, mixer, library, root
        self._lane = AlsaLane(f"input {name}", patience_s=patience_s)
        self._place = _Place()
        self.xruns = 0

    async def open(self) -> SoundSource:
        """Live frames from now on.

        Raises:
            CardLostError: it is not there, or taken.
        """
        place, opened = self._place, list[_Recording]()

        def let_go() -> None:
            for recording in opened:
                recording.close()

        try:
            await self.run(lambda: opened.append(self._open(place)))
        except asyncio.CancelledError:
            self._lane.leave(let_go)
            raise
        return _CaptureSource(self, opened[0])

    async def run(self, call: Callable[[], T]) -> T:
        """Makes a call in the input's thread. Raises CardLostError, and whatever the call raises."""
        place = self._place
        try:
            return await self._lane.run(call, given_up=place.close)
        except DriverHungError:
            if self._place is place:
                self._place = _Place()
            if place.recording is not None:
                place.recording.closed = True
            raise
        except CardLostError:
            raise
        except Exception as error:
            raise CardLostError(f"{self._name} is at fault: {error}") from error

    def _open(self, place: _Place) -> _Recording:
        place.close()
        library = self._library or load_library()
        pcm = open_pcm(self._name, Direction.CAPTURE, library=library, root=self._root)
        if self._mixer and pcm.card_number is not None:
            set_mixer(self._mixer, Direction.CAPTURE, card_number=pcm.card_number, library=library)
        place.recording = _Recording(pcm)
        return place.recording

    def note_xrun(self) -> None:
        """Counts one."""
        self.xruns += 1
        tell = _log.warning if self.xruns == 1 else _log.debug
        tell("%s ran over, %s times so far", self._name, self.xruns)


class _CaptureSource:
    """Implements `hardware.interfaces.SoundSource`."""

    def __init__(self, capture: AlsaCapture, recording: _Recording) -> None:
        self._capture = capture
        self._recording = recording

    async def read(self) -> bytes | None:
        """See `hardware.interfaces.SoundSource`."""
        if self._recording.closed:
            return None
        frame = await self._capture.run(self._recording.frame)
        for _ in range(self._recording.take_xruns()):
            self._capture.note_xrun()
        return frame

    async def close(self) -> None:
        """See `hardware.interfaces.SoundSource`."""
        if self._recording.closed:
            return
        try:
            await self._capture.run(self._recording.close)
        except CardLostError as error:
            _log.debug("an input went while it was closed: %s", error)


class _Recording:
    """One opening of an input, as the thread sees it that calls ALSA.

    Attributes:
        closed: nobody reads it any more; a call for it that hangs may still hold the input.
    """

    def __init__(self, pcm: AlsaPcm) -> None:
        self._pcm = pcm
        self._open_pcm: AlsaPcm | None = pcm
        self._head = bytearray()
        self._paces: bool | None = None
        self._next_s = time.monotonic() + FRAME_MS / 1000
        self._xruns = 0
        self.closed = False

    def frame(self) -> bytes | None:
        """The next frame; waits for it. None when another has opened the input.

        Raises:
            CardLostError: the card is gone, or delivers nothing.
        """
        if self.closed:
            return None
        for _ in range(_TRIES):
            try:
                return self._frame()
            except XrunError:
                self._xruns += 1
                self._head.clear()
        raise CardLostError(f"{self._pcm.device} runs over as soon as it is started")

    def take_xruns(self) -> int:
        """How often it ran over since this was last asked."""
        xruns, self._xruns = self._xruns, 0
        return xruns

    def _frame(self) -> bytes:
        if self._paces:
            self._skip_the_past()
        while len(self._head) < FRAME_BYTES:
            self._head += self._pcm.read()
        frame = bytes(self._head[:FRAME_BYTES])
        del self._head[:FRAME_BYTES]
        if self._paces is None:
            self._paces = self._pcm.paces
        if not self._paces:
            self._pace()
        return frame

    def _skip_the_past(self) -> None:
        if self._pcm.waiting_samples() <= _KEPT * FRAME_SAMPLES:
            return
        self._head.clear()
        while self._pcm.waiting_samples() >= FRAME_SAMPLES:
            self._pcm.read()

    def _pace(self) -> None:
        """For a device that delivers as fast as one reads."""
        now_s, frame_s = time.monotonic(), FRAME_MS / 1000
        if now_s - self._next_s > frame_s:
            self._next_s += (now_s - self._next_s) // frame_s * frame_s
        time.sleep(max(0.0, self._next_s - now_s))
        self._next_s += frame_s

    def close(self) -> None:
        """Lets go of the input."""
        self.closed = True
        pcm, self._open_pcm = self._open_pcm, None
        if pcm is not None:
            pcm.stop()
            pcm.close()


class _Place:
    """Where an input's opening is kept: only the thread that calls ALSA changes it.

    After a call that hangs an input goes on with a new place; what is in the old one is closed by the call's own
    thread, should it come back: a second call into a hanging driver hangs, too.
    """

    def __init__(self) -> None:
        self.recording: _Recording | None = None

    def close(self) -> None:
        """Lets go of the input."""
        recording, self.recording = self.recording, None
        if recording is not None:
            recording.close()
