"""The sound path without samples, and the ear below the horn: what really sounded, from when to when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.core.output import Output
from edge.ports import Clock, MediaStore
from protocol.clock import MonoMs
from protocol.report import EndReason
from simulators.light_audio import LightAudio, _Sound


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound began or ended, as somebody below the horn would tell.

    Attributes:
        reason: why it ended; None when it began.
    """

    output: Output
    reason: EndReason | None = None


class WorldHorn(LightAudio):
    """Implements `edge.ports.Audio`; tells the truth to `ear`."""

    def __init__(self, clock: Clock, store: MediaStore, *, ear: Callable[[Heard], None]) -> None:
        super().__init__(clock, store)
        self._ear = ear

    def _sound(self, output: Output, mono: MonoMs) -> None:
        before = len(self._sounds)
        super()._sound(output, mono)
        if len(self._sounds) > before:
            self._ear(Heard(output))

    def _end(self, sound: _Sound, mono: MonoMs, reason: EndReason) -> None:
        super()._end(sound, mono, reason)
        self._ear(Heard(sound.output, reason))

    def go_dark(self) -> None:
        """The power is gone: whatever sounded has ended."""
        for sound in self._sounds:
            self._ear(Heard(sound.output, EndReason.INTERRUPTED))
        self._sounds = []
