"""Where the agent's random numbers come from: the operating system, unless whoever started its task says otherwise.

A world that must run in the same way twice gives every device a stream of its own; the tasks that an agent starts
inherit it.
"""

from __future__ import annotations

from contextvars import ContextVar
from random import Random, SystemRandom
from typing import Final

CHANCE: Final[ContextVar[Random]] = ContextVar("chance")
_SYSTEM: Final = SystemRandom()


def chance() -> Random:
    """The source of this task."""
    return CHANCE.get(_SYSTEM)


def token(size_bytes: int) -> str:
    """So many random bytes in hexadecimal; nobody guesses it as long as the source is the operating system."""
    return chance().randbytes(size_bytes).hex()
