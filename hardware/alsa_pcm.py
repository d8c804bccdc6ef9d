"""One open ALSA device in our format: mono, 48 kHz, signed 16 bit, periods of 20 ms.

What a card cannot do itself (many USB sticks know nothing but stereo, some nothing but 44.1 kHz) is converted by
ALSA's `plug`, put in front when the device does not take our format as it is.

Devices are opened without blocking. pyalsaaudio 0.11 keeps Python's lock while it opens a device, so waiting
there for a card that another program holds would stop the whole agent; and its `close` drains, which would wait
for ever on a card that has gone. Every call here belongs in a thread all the same (`AlsaLane`): drivers may take
their time.

pyalsaaudio tells errors by words only. So what matters is asked of the device: after a failed call its state says
whether it was suspended; any other error means that the card is lost, and it is opened anew at the next call.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import select
import time
from pathlib import Path
from typing import Any, Final

from hardware.alsa_names import Direction, resolve
from hardware.errors import CardLostError
from hardware.i18n import N_
from hardware.interfaces import FRAME_SAMPLES, SAMPLE_RATE

PERIODS: Final = 10
"""200 ms: what a device may hold at the most. How much of it is used is for whoever writes to say."""
_STUCK_S: Final = 1.0
_WAIT_S: Final = 0.02
_PAUSE_S: Final = 0.0005
_FORMAT: Final = "S16_LE"

_log = logging.getLogger(__name__)


class XrunError(Exception):
    """The device ran dry or over, or was suspended; it is ready to be used again."""


class AlsaPcm:
    """A device, open for playback or capture.

    Args:
        pcm: pyalsaaudio's object.
        library: the module it comes from.

    Attributes:
        buffer_samples: what it can hold.
        card_number: of the card behind it; None when there is none.
    """

    def __init__(self, pcm: Any, library: Any, *, capture: bool) -> None:
        info = pcm.info()
        self._pcm, self._library, self._capture = pcm, library, capture
        self.buffer_samples: int = info["buffer_size"]
        self.card_number: int | None = info["card_no"] if info["card_no"] >= 0 else None
        self.device: str = info["name"]

    @property
    def paces(self) -> bool:
        """Whether the device consumes or delivers in real time, once it runs.

        ALSA's `null` and `file` do not: they run, with all their room free however much is written, or all of it full
        however much is read. A real card stops in that condition (its stop threshold is its buffer).
        """
        full = self._pcm.state() == self._library.PCM_STATE_RUNNING and self._pcm.avail() == self.buffer_samples
        return not full

    def waiting_samples(self) -> int:
        """Written but not yet taken by the card; or captured, but not yet read.

        Raises:
            XrunError: it has run dry or over; the next read or write starts it anew.
        """
        available: int = self._pcm.avail()
        if available in (-errno.EPIPE, -errno.ESTRPIPE):
            # Asking does not make it ready again; dropping does, as the next call prepares what was dropped.
            self.stop()
            raise XrunError
        if available < 0:
            raise CardLostError(f"{self.device}: {errno.errorcode.get(-available, available)}")
        return available if self._capture else max(0, self.buffer_samples - available)

    def write(self, samples: bytes) -> None:
        """Writes all of it, and waits while there is no room.

        Raises:
            XrunError: nothing of it will be heard.
            CardLostError: the card is gone.
        """
        until = time.monotonic() + _STUCK_S
        while samples:
            written = self._tried(lambda left=samples: self._pcm.write(left))
            samples = samples[max(0, written) * 2 :]
            if samples and written <= 0:
                self._wait(until)

    def read(self) -> bytes:
        """What was captured, a period at most; waits for it.

        Raises:
            XrunError: sound was lost; what comes next is the present.
            CardLostError: the card is gone, or delivers nothing.
        """
        until = time.monotonic() + _STUCK_S
        while True:
            count, samples = self._tried(self._pcm.read)
            if count == -errno.EPIPE:
                raise XrunError
            if count > 0:
                return bytes(samples)
            self._wait(until)

    def stop(self) -> None:
        """Forgets what it holds; the next call starts it anew."""
        try:
            self._pcm.drop()
        except self._library.ALSAAudioError as error:
            _log.debug("%s does not stop: %s", self.device, error)

    def close(self) -> None:
        """Lets go of the device; what is in it may not be heard."""
        try:
            self._pcm.close()
        except self._library.ALSAAudioError as error:
            _log.debug("%s does not close: %s", self.device, error)

    def _tried(self, call: Any) -> Any:
        try:
            result = call()
        except self._library.ALSAAudioError as error:
            raise self._judged(error) from error
        if result == -errno.EPIPE:
            raise XrunError
        return result

    def _judged(self, error: Exception) -> Exception:
        if self._pcm.state() == self._library.PCM_STATE_SUSPENDED:
            # There is no call to resume or prepare; dropping leaves a state from which the next write prepares.
            self.stop()
            return XrunError()
        return CardLostError(str(error))

    def _wait(self, until: float) -> None:
        if time.monotonic() > until:
            raise CardLostError(N_("%(card)s stands still"), card=self.device)
        waiting = select.poll()
        for descriptor, events in self._pcm.polldescriptors():
            waiting.register(descriptor, events)
        waiting.poll(_WAIT_S * 1000)
        # A device in trouble is always ready; without a pause that would be a busy loop.
        time.sleep(_PAUSE_S)


def open_pcm(name: str, direction: Direction, *, library: Any, root: Path = Path("/")) -> AlsaPcm:
    """Opens the device that a name means now.

    Raises:
        CardLostError: it is not there, is taken, or cannot be made to take our format.
    """
    device = resolve(name, direction, root=root)
    try:
        for asked in (device, f"plug:'{device}'"):
            if pcm := _opened(asked, direction, library):
                return pcm
    except library.ALSAAudioError as error:
        raise CardLostError(N_("%(card)s cannot be opened: %(why)s"), card=name, why=error) from error
    raise CardLostError(N_("%(card)s takes no sound at %(rate)d Hz"), card=name, rate=SAMPLE_RATE)


def _opened(device: str, direction: Direction, library: Any) -> AlsaPcm | None:
    """The device, or None when it does not take our format."""
    capture = direction is Direction.CAPTURE
    pcm = library.PCM(
        type=library.PCM_CAPTURE if capture else library.PCM_PLAYBACK,
        mode=library.PCM_NONBLOCK,
        device=device,
        rate=SAMPLE_RATE,
        channels=1,
        format=library.PCM_FORMAT_S16_LE,
        periodsize=FRAME_SAMPLES,
        periods=PERIODS,
    )
    info = pcm.info()
    if (info["rate"], info["channels"], info["format_name"]) == (SAMPLE_RATE, 1, _FORMAT):
        return AlsaPcm(pcm, library, capture=capture)
    _log.info("%s has %s Hz, %s channels, %s", device, info["rate"], info["channels"], info["format_name"])
    pcm.close()
    return None


def load_library() -> Any:
    """pyalsaaudio, with ALSA's own complaints on our log instead of on the standard error.

    A missing card is looked for every half second, and libasound prints a line for each unknown name.

    Raises:
        CardLostError: it is not installed.
    """
    try:
        import alsaaudio
    except ImportError as error:
        raise CardLostError(N_("ALSA cannot be used: pyalsaaudio or libasound is not installed")) from error
    _quieten()
    return alsaaudio


_ERROR_HANDLER: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)


def _complain(file: bytes | None, line: int, function: bytes | None, error: int, text: bytes | None) -> None:
    _log.debug("libasound, %s line %s in %s (%s): %s", file, line, function, error, text)


_HANDLER: Final = _ERROR_HANDLER(_complain)
"""Kept, because libasound does not keep it."""


def _quieten() -> None:
    try:
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_HANDLER)
    except (OSError, AttributeError) as error:
        _log.debug("libasound keeps complaining aloud: %s", error)
