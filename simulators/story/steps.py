"""Steps of the story: one JSON line for each as soon as it is known how it went."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

Figures = dict[str, Any]


class StoryError(Exception):
    """Something was not as the story goes; the message says what."""


class StepFailedError(Exception):
    """A step failed and was told; what follows from it is not played."""


class Steps:
    """Tells each step.

    Attributes:
        failed: names of the steps that went wrong.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.failed: list[str] = []

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[Figures]:
        """A step from here to the end of the block; the block may add figures to its line.

        Raises:
            StepFailedError: the block raised something.
        """
        began_s = time.monotonic()
        figures: Figures = {}
        try:
            yield figures
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.failed.append(name)
            detail = {"detail": str(error) or type(error).__name__}
            self._line(name, began_s, figures | detail, ok=False)
            raise StepFailedError(name) from error
        self._line(name, began_s, figures, ok=True)

    def _line(self, name: str, began_s: float, figures: Figures, *, ok: bool) -> None:
        ms = round((time.monotonic() - began_s) * 1000)
        self._tell(json.dumps({"step": name, "ok": ok, "ms": ms, **figures}, ensure_ascii=False))


def check(holds: object, otherwise: str) -> None:
    """Raises StoryError with these words unless it holds."""
    if not holds:
        raise StoryError(otherwise)
