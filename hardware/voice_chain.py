"""What a voice passes on its way from the microphone: high-pass, noise gate, levelling.

Works in blocks of 10 ms and hands each one out when the next has been seen, so the gate is open before a word
begins and the gain is down before a peak comes. That is its delay: 10 ms. One gain is put on the samples, in
small steps from its old value to the new.
"""

from __future__ import annotations

import audioop
from typing import Final

from hardware.high_pass import HighPass
from hardware.interfaces import SAMPLE_RATE
from hardware.leveller import Leveller
from hardware.noise_gate import BLOCK_MS, SHUT_GAIN, NoiseGate, decibels

DELAY_MS: Final = BLOCK_MS
_BLOCK_BYTES: Final = SAMPLE_RATE * BLOCK_MS // 1000 * 2
_STEPS: Final = 16
_STEP_BYTES: Final = _BLOCK_BYTES // _STEPS
_SAME: Final = 1e-4


class VoiceChain:
    """Frames in, frames out.

    Attributes:
        gate, leveller: what they have learned outlasts an opening of the microphone.
    """

    def __init__(self) -> None:
        self.gate = NoiseGate()
        self.leveller = Leveller()
        self.restart()

    def restart(self) -> None:
        """Forgets the sound, but neither the room nor the voice."""
        self._filter = HighPass()
        self._held = bytes(_BLOCK_BYTES)
        self._held_peak = 0
        self._gain = SHUT_GAIN
        self.gate.restart()
        self.leveller.restart()

    def apply(self, frame: bytes) -> bytes:
        """As much as came in, DELAY_MS later; whole blocks."""
        filtered = self._filter.apply(frame)
        blocks = range(0, len(filtered), _BLOCK_BYTES)
        return b"".join(self._next(filtered[begin : begin + _BLOCK_BYTES]) for begin in blocks)

    def _next(self, block: bytes) -> bytes:
        """The block before this one, with the gain that leads over to it."""
        level_db, peak = decibels(audioop.rms(block, 2)), audioop.max(block, 2)
        speech = self.gate.judge(level_db)
        gain = self.leveller.gain(level_db, speech=speech, peak=max(peak, self._held_peak))
        before, self._held, self._held_peak = self._held, block, peak
        return self._ramp(before, gain * self.gate.gain())

    def _ramp(self, block: bytes, gain: float) -> bytes:
        first, self._gain = self._gain, gain
        if abs(gain - first) < _SAME * gain:
            return audioop.mul(block, 2, gain)
        step = (gain - first) / _STEPS
        return b"".join(
            audioop.mul(block[index * _STEP_BYTES : (index + 1) * _STEP_BYTES], 2, first + step * (index + 1))
            for index in range(_STEPS)
        )
