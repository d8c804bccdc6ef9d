"""Why sound or text is not taken, as values that travel from the worker process to the page.

`controller.library.wording` has the sentences.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What is wrong with what came in."""

    NOT_AUDIO = "not_audio"
    VIDEO = "video"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    CUT_OFF = "cut_off"
    DAMAGED = "damaged"
    SILENT = "silent"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_UNSAYABLE = "text_unsayable"
    NO_VOICE = "no_voice"
    VOICE_LOST = "voice_lost"
    DISK_FULL = "disk_full"
    WORKER_LOST = "worker_lost"
    CANCELLED = "cancelled"
    BUSY = "busy"


class SoundRefusedError(Exception):
    """Sound or text was not taken, and nothing of it was kept.

    Attributes:
        reason: what is wrong.
        values: what the sentence names, such as `seconds` or `looks_like`; JSON values.
    """

    def __init__(self, reason: Reason, **values: str | int) -> None:
        super().__init__(f"{reason.value} {values or ''}".strip())
        self.reason = reason
        self.values = values
