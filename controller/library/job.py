"""How far the preparation of one sound is: what the page asks for while somebody waits."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from controller.library.domain import Media, Wanted
from controller.library.refusal import SoundRefusedError
from protocol.clock import WallMs


class Stage(StrEnum):
    """What is being done."""

    WAITING = "waiting"
    SPEAKING = "speaking"
    LISTENING = "listening"
    LEVELLING = "levelling"
    CHECKING = "checking"
    STORING = "storing"
    READY = "ready"
    REFUSED = "refused"


# Where each stage begins and ends on the bar; a second levelling does not move it backwards.
_SPANS = {Stage.LEVELLING: (15, 75), Stage.CHECKING: (75, 95), Stage.STORING: (95, 95), Stage.READY: (100, 100)}


@dataclass(slots=True)
class Job:
    """The preparation of one sound.

    Attributes:
        seconds: of sound, done in this stage.
        percent: of the whole; None while its length is not known.
        media: the result when READY.
        refused: why not when REFUSED.
    """

    wanted: Wanted
    began: WallMs
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    stage: Stage = Stage.LISTENING
    seconds: float = 0.0
    percent: int | None = None
    media: Media | None = None
    refused: SoundRefusedError | None = None
    task: asyncio.Task[Media] | None = None
    _length_s: float = 0.0

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.stage in (Stage.READY, Stage.REFUSED)

    def tell(self, stage: str, seconds: float) -> None:
        """Takes progress."""
        self.stage, self.seconds = Stage(stage), seconds
        if self.stage is Stage.LISTENING:
            self._length_s = seconds
        if self.stage in _SPANS:
            begin, end = _SPANS[self.stage]
            share = min(seconds / self._length_s, 1.0) if self._length_s else 0.0
            self.percent = max(self.percent or 0, round(begin + (end - begin) * share))

    def end(self, result: Media | SoundRefusedError) -> None:
        """Takes the result."""
        if isinstance(result, Media):
            self.media = result
            self.tell(Stage.READY, 0)
        else:
            self.refused, self.stage = result, Stage.REFUSED
