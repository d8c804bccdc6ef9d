"""The line between an emulated computer and whoever plays its world: pickles with their length before them.

Both ends are this project's own test programs on one machine, and both run the same commit; nothing else may connect.
"""

from __future__ import annotations

import asyncio
import pickle
from typing import Any, Final

_LENGTH_BYTES: Final = 4
_FRAME_BYTES_MAX: Final = 64 * 1024 * 1024


async def read_frame(reader: asyncio.StreamReader) -> tuple[Any, ...]:
    """What came next: its kind and what belongs to it.

    Raises:
        ConnectionError, EOFError: the line is gone, or is not ours.
    """
    size = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
    if size > _FRAME_BYTES_MAX:
        raise ConnectionError(f"a frame of {size} bytes")
    frame: tuple[Any, ...] = pickle.loads(await reader.readexactly(size))  # noqa: S301
    return frame


def write_frame(writer: asyncio.StreamWriter, *frame: Any) -> None:
    """Sends it as soon as the line takes it."""
    data = pickle.dumps(frame, pickle.HIGHEST_PROTOCOL)
    writer.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
