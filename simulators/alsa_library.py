"""A stand-in for pyalsaaudio with sound cards that can be plugged, pulled, suspended and left to run dry.

What a card does here is what the kernel's PCM core does: it starts with the first write (start threshold 1) or
read, moves on with time whether anybody cares or not, stops with an xrun when its buffer is empty (or, capturing,
full), and answers as pyalsaaudio 0.11 does: an xrun is the number -EPIPE and leaves the device prepared, `avail`
tells errors as negative numbers, everything else is an ALSAAudioError with words. Its pointer moves in steps,
like those of USB cards.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakSet

_STEP_SAMPLES: Final = 48
_CLOSED: Final = "PCM device is closed"


class ALSAAudioError(Exception):
    """What pyalsaaudio raises."""


@dataclass
class SimSoundHardware:
    """A card.

    Attributes:
        heard: all samples that have sounded.
        says: what its input hears: samples of a number and a count.
        present, suspended, taken: it is plugged in; the machine sleeps; another program has it.
        stereo_only: it knows nothing but two channels.
        volume, muted: of its mixer control `PCM`; `decibels` is its range in hundredths, None without a scale.
    """

    number: int = 1
    heard: bytearray = field(default_factory=bytearray)
    says: Callable[[int, int], bytes] = lambda _, count: bytes(count * 2)
    present: bool = True
    suspended: bool = False
    taken: bool = False
    stereo_only: bool = False
    volume: int = 30
    volume_decibels: int | None = None
    muted: bool = True
    decibels: tuple[int, int] | None = None


class SimPcm:
    """What `alsaaudio.PCM(...)` gives. Real time, like the thing."""

    def __init__(self, library: SimAlsa, card: SimSoundHardware, *, capture: bool, options: dict[str, Any]) -> None:
        self._library, self._card, self._capture = library, card, capture
        self._device = str(options["device"])
        self._plugged = self._device.startswith("plug")
        self._channels = 2 if card.stereo_only and not self._plugged else int(options["channels"])
        self._period = int(options["periodsize"])
        self._buffer = self._period * int(options["periods"])
        self._state = library.PCM_STATE_PREPARED
        self._began = 0.0
        self._moved = self._written = 0
        self._waiting = bytearray()

    def holds(self, card: SimSoundHardware, *, capture: bool) -> bool:
        """Whether it has a card's output or input, which cannot be opened twice."""
        return self._card is card and self._capture is capture

    def info(self) -> dict[str, Any]:
        """What was agreed on."""
        return {
            "name": self._device,
            "card_no": self._card.number,
            "rate": 48_000,
            "channels": self._channels,
            "format_name": "S16_LE",
            "buffer_size": self._buffer,
            "period_size": self._period,
        }

    def state(self) -> int:
        """One of PCM_STATE_*."""
        self._move()
        return self._state

    def avail(self) -> int:
        """Room, or samples to read; negative for an error."""
        self._move()
        library = self._library
        if self._state == library.PCM_STATE_DISCONNECTED:
            return -errno.ENODEV
        if self._state in (library.PCM_STATE_XRUN, library.PCM_STATE_SUSPENDED):
            return -errno.EPIPE if self._state == library.PCM_STATE_XRUN else -errno.ESTRPIPE
        return self._moved - self._written if self._capture else self._buffer - (self._written - self._moved)

    def write(self, samples: bytes) -> int:
        """As many as there is room for, -EPIPE after an xrun."""
        if (trouble := self._trouble()) is not None:
            return trouble
        count = min(len(samples) // 2, self._buffer - (self._written - self._moved))
        self._waiting += samples[: count * 2]
        self._start()
        self._written += count
        return count

    def read(self) -> tuple[int, bytes]:
        """What was captured, a period at most; nothing yet is 0."""
        if (trouble := self._trouble()) is not None:
            return trouble, b""
        self._start()
        count = min(self._period, self._moved - self._written)
        samples = self._card.says(self._written, count)
        self._written += count
        return count, samples

    def drop(self) -> int:
        """Stops; what waits is lost."""
        self._move()
        if self._state == self._library.PCM_STATE_DISCONNECTED:
            raise self._error(errno.EBADFD)
        self._rewind(self._library.PCM_STATE_SETUP)
        return 0

    def close(self) -> None:
        """Gone."""
        self._library.open_pcms.discard(self)

    def polldescriptors(self) -> list[tuple[int, int]]:
        """There is nothing here that wakes anybody."""
        return []

    def _trouble(self) -> int | None:
        self._move()
        library = self._library
        if self not in library.open_pcms:
            raise ALSAAudioError(_CLOSED)
        if self._state == library.PCM_STATE_DISCONNECTED:
            raise self._error(errno.ENODEV)
        if self._state == library.PCM_STATE_SUSPENDED:
            raise self._error(errno.ESTRPIPE)
        if self._state == library.PCM_STATE_XRUN:
            self._rewind(library.PCM_STATE_PREPARED)
            return -errno.EPIPE
        return None

    def _rewind(self, state: int) -> None:
        self._state = state
        self._moved = self._written = 0
        self._waiting.clear()

    def _start(self) -> None:
        if self._state != self._library.PCM_STATE_RUNNING:
            self._state, self._began = self._library.PCM_STATE_RUNNING, time.monotonic()

    def _move(self) -> None:
        library = self._library
        if not self._card.present:
            self._state = library.PCM_STATE_DISCONNECTED
        elif self._card.suspended and self._state == library.PCM_STATE_RUNNING:
            self._state = library.PCM_STATE_SUSPENDED
            self._card.suspended = False
        if self._state != library.PCM_STATE_RUNNING:
            return
        now = int((time.monotonic() - self._began) * 48_000) // _STEP_SAMPLES * _STEP_SAMPLES
        if self._capture:
            self._moved = now
            over = self._moved - self._written >= self._buffer
        else:
            over = now >= self._written
            moved = min(now, self._written)
            self._card.heard += self._waiting[: (moved - self._moved) * 2]
            del self._waiting[: (moved - self._moved) * 2]
            self._moved = moved
        if over:
            self._state = library.PCM_STATE_XRUN

    def _error(self, number: int) -> ALSAAudioError:
        return ALSAAudioError(f"{os.strerror(number)} [{self._device}]")


class SimMixer:
    """What `alsaaudio.Mixer(...)` gives."""

    def __init__(self, library: SimAlsa, card: SimSoundHardware) -> None:
        self._library, self._card = library, card

    def getrange(self, *, pcmtype: int, units: int) -> list[int]:
        """Lowest and highest; without a scale in decibels, rubbish, like the thing."""
        assert units == self._library.VOLUME_UNITS_DB
        return list(self._card.decibels or (93_824_992, 0))

    def setvolume(self, volume: int, *, pcmtype: int, units: int = 0) -> None:
        """Sets it; one without a scale ignores decibels."""
        if units != self._library.VOLUME_UNITS_DB:
            self._card.volume, self._card.volume_decibels = volume, None
        elif self._card.decibels is not None:
            self._card.volume_decibels = volume

    def switchcap(self) -> list[str]:
        """Its switches."""
        return ["Playback Mute", "Capture Mute"]

    def setmute(self, mute: int) -> None:
        """Mutes it."""
        self._card.muted = bool(mute)

    def setrec(self, capture: int) -> None:
        """Lets the input through."""
        self._card.muted = not capture

    def close(self) -> None:
        """Gone."""


class SimAlsa:
    """Stands where the module `alsaaudio` stands.

    Attributes:
        cards: what is plugged in, by number.
        open_pcms: what is open now; forgotten is closed.
    """

    ALSAAudioError = ALSAAudioError
    PCM_PLAYBACK, PCM_CAPTURE = 0, 1
    PCM_NONBLOCK = 1
    PCM_FORMAT_S16_LE = 2
    PCM_STATE_SETUP, PCM_STATE_PREPARED, PCM_STATE_RUNNING, PCM_STATE_XRUN = 1, 2, 3, 4
    PCM_STATE_SUSPENDED, PCM_STATE_DISCONNECTED = 7, 8
    VOLUME_UNITS_DB = 2

    def __init__(self, *cards: SimSoundHardware) -> None:
        self.cards = {card.number: card for card in cards}
        self.open_pcms: WeakSet[SimPcm] = WeakSet()

    def PCM(self, **options: Any) -> SimPcm:
        """Opens a device named `hw:N` or `plughw:N,0`, with `plug:'...'` around it or not."""
        device = str(options["device"])
        number = "".join(letter for letter in device.partition(",")[0] if letter.isdigit())
        card = self.cards.get(int(number or -1))
        if card is None or not card.present:
            raise ALSAAudioError(f"{os.strerror(errno.ENOENT)} [{device}]")
        capture = options["type"] == self.PCM_CAPTURE
        if card.taken or any(pcm.holds(card, capture=capture) for pcm in self.open_pcms):
            raise ALSAAudioError(f"{os.strerror(errno.EBUSY)} [{device}]")
        pcm = SimPcm(self, card, capture=capture, options=options)
        self.open_pcms.add(pcm)
        return pcm

    def Mixer(self, *, control: str, cardindex: int) -> SimMixer:
        """Opens a mixer control; there is only `PCM`."""
        card = self.cards.get(cardindex)
        if control != "PCM" or card is None:
            raise ALSAAudioError(f"Unable to find mixer control {control},0 [hw:{cardindex}]")
        return SimMixer(self, card)
