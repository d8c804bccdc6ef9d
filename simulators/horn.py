"""What a village hears: the card's samples while the amplifier is on, on one uniform line of time.

Everything that listens reads from here: the meter, the recorder, the browser and the judges. The horn is a ring of
the last minutes that is brought up to date when somebody asks, so a silent horn costs nothing.
"""

from __future__ import annotations

import asyncio
import audioop
import random
import wave
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.ports import FRAME_SAMPLES, SAMPLE_RATE
from protocol.clock import WallMs
from simulators.loop_clock import LoopClock

SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000
WARM_UP_MS: Final = 500
"""A real amplifier's relay opens late; what comes before is not heard. Shorter than the default lead-in."""
_BEHIND_SAMPLES_MAX: Final = 2 * SAMPLE_RATE
_RECORDING_S_MAX: Final = 3600


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of sound.

    Attributes:
        began_ms: wall time of its first sample, with fractions.
        samples: signed 16-bit samples at 48 kHz.
    """

    began_ms: float
    samples: bytes

    @property
    def ended_ms(self) -> float:
        """Wall time after the last sample."""
        return self.began_ms + len(self.samples) / 2 / SAMPLES_PER_MS

    def between(self, begin_ms: float, end_ms: float) -> Heard:
        """The part between two wall times."""
        first = max(0, round((begin_ms - self.began_ms) * SAMPLES_PER_MS))
        last = max(first, round((end_ms - self.began_ms) * SAMPLES_PER_MS))
        return Heard(self.began_ms + first / SAMPLES_PER_MS, self.samples[first * 2 : last * 2])


class SimHorn:
    """A horn on its pole.

    Args:
        keep_s: how far back it can be asked.
    """

    def __init__(self, clock: LoopClock, *, keep_s: int = 120, warm_up_ms: int = WARM_UP_MS) -> None:
        self._clock = clock
        self._epoch_ms = clock.exact_mono_ms()
        self._warm_up = warm_up_ms * SAMPLES_PER_MS
        self._ring = bytearray(keep_s * SAMPLE_RATE * 2)
        self._until = 0
        self._coming: deque[tuple[int, bytes]] = deque()
        self._edges: deque[tuple[int, bool]] = deque()
        self._open = False
        self._stray = b""
        self._recording: wave.Wave_write | None = None

    # What drives it.

    def receive(self, mono_ms: float, samples: bytes) -> None:
        """Samples from the card, the first of them heard at that instant."""
        self._advance()
        self._coming.append((self._position(mono_ms), samples))

    def cut(self) -> None:
        """The wire from the card is cut: what it still held is never heard."""
        self._advance()
        self._coming.clear()

    def gate(self, mono_ms: float, on: bool) -> None:
        """The amplifier's enable line changes."""
        self._advance()
        position = self._position(mono_ms) + (self._warm_up if on else 0)
        self._edges = deque(edge for edge in self._edges if edge[0] < position)
        self._edges.append((position, on))

    def stray(self, amplitude: float) -> None:
        """Noise that gets into the amplifier from elsewhere; 0 ends it."""
        self._advance()
        noise = random.Random(7).randbytes(SAMPLE_RATE * 2)
        self._stray = audioop.mul(noise, 2, amplitude) if amplitude else b""

    # What listens.

    def heard(self, begin_ms: float | None = None, end_ms: float | None = None) -> Heard:
        """What was heard between two wall times, as far as it is still kept and already past."""
        self._advance()
        first = max(0, self._until - len(self._ring) // 2)
        if begin_ms is not None:
            first = max(first, self._position(begin_ms - self._clock.offset_ms))
        last = self._until
        if end_ms is not None:
            last = min(last, self._position(end_ms - self._clock.offset_ms))
        return Heard(self._wall_ms(first), self._read(first, max(first, last)))

    def last_second(self) -> bytes:
        """The samples of the last second."""
        self._advance()
        return self._read(max(0, self._until - SAMPLE_RATE), self._until)

    async def frames(self) -> AsyncIterator[bytes]:
        """Frames of 20 ms from now on, silence included; a listener that falls behind misses what is between."""
        self._advance()
        position = self._until
        while True:
            due_ms = self._epoch_ms + (position + FRAME_SAMPLES) / SAMPLES_PER_MS
            await asyncio.sleep(max(0.0, due_ms - self._clock.exact_mono_ms()) / 1000)
            self._advance()
            if self._until - position > _BEHIND_SAMPLES_MAX:
                position = self._until - FRAME_SAMPLES
            if self._until >= position + FRAME_SAMPLES:
                yield self._read(position, position + FRAME_SAMPLES)
                position += FRAME_SAMPLES

    def record(self, path: Path) -> None:
        """Writes all that is heard from now on to a WAV file, for an hour at most."""
        self.stop_recording()
        self._recording = wave.open(str(path), "wb")  # noqa: SIM115
        self._recording.setnchannels(1)
        self._recording.setsampwidth(2)
        self._recording.setframerate(SAMPLE_RATE)

    def stop_recording(self) -> None:
        """Completes the WAV file."""
        self._advance()
        if self._recording is not None:
            self._recording.close()
            self._recording = None

    # Time.

    def _position(self, mono_ms: float) -> int:
        return round((mono_ms - self._epoch_ms) * SAMPLES_PER_MS)

    def _wall_ms(self, position: int) -> float:
        return self._epoch_ms + position / SAMPLES_PER_MS + self._clock.offset_ms

    def wall_ms(self) -> WallMs:
        """The present."""
        return self._clock.now().wall

    def _advance(self) -> None:
        """Lets everything up to now be heard."""
        now = int((self._clock.exact_mono_ms() - self._epoch_ms) * SAMPLES_PER_MS)
        while self._until < now:
            end = min(now, self._until + SAMPLE_RATE)
            self._hear(self._gated(self._mixed(end), end))

    def _mixed(self, end: int) -> bytearray:
        """The card's samples from `_until` to `end`."""
        out = bytearray((end - self._until) * 2)
        while self._coming and self._coming[0][0] < end:
            position, samples = self._coming.popleft()
            if position + len(samples) // 2 > end:
                split = (end - position) * 2
                self._coming.appendleft((end, samples[split:]))
                samples = samples[:split]
            at = max(0, position - self._until) * 2
            samples = samples[max(0, self._until - position) * 2 :]
            out[at : at + len(samples)] = samples
        return out

    def _gated(self, sound: bytearray, end: int) -> bytes:
        """The same after the amplifier."""
        mixed = audioop.add(bytes(sound), self._stray[: len(sound)], 2) if self._stray else bytes(sound)
        pieces = []
        at = self._until
        while at < end:
            while self._edges and self._edges[0][0] <= at:
                self._open = self._edges.popleft()[1]
            stop = min(end, self._edges[0][0]) if self._edges else end
            piece = mixed[(at - self._until) * 2 : (stop - self._until) * 2]
            pieces.append(piece if self._open else bytes(len(piece)))
            at = stop
        return b"".join(pieces)

    def _hear(self, sound: bytes) -> None:
        size = len(self._ring)
        at = self._until * 2 % size
        head = sound[: size - at]
        self._ring[at : at + len(head)] = head
        self._ring[: len(sound) - len(head)] = sound[len(head) :]
        self._until += len(sound) // 2
        if self._recording is not None and self._recording.getnframes() < _RECORDING_S_MAX * SAMPLE_RATE:
            self._recording.writeframesraw(sound)

    def _read(self, first: int, last: int) -> bytes:
        size = len(self._ring)
        first = max(first, last - size // 2)
        begin, end = first * 2 % size, last * 2 % size
        if first == last:
            return b""
        if begin < end:
            return bytes(self._ring[begin:end])
        return bytes(self._ring[begin:] + self._ring[:end])
