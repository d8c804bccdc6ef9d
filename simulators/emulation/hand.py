"""Inside the emulated computer, as root: runs commands that come through a line, one at a time. Never on a real card.

`python -m simulators.emulation.hand`, with the line's far end in LOALANG_HAND.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import Final

from simulators.emulation.frames import read_frame, write_frame

_COMMAND_S_MAX: Final = 120


async def _serve() -> None:
    host, _, port = os.environ["LOALANG_HAND"].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    while True:
        (command,) = await read_frame(reader)
        write_frame(writer, *await asyncio.to_thread(_done, command))
        await writer.drain()


def _done(command: str) -> tuple[int, str]:
    try:
        ended = subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_COMMAND_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, "it took too long"
    return ended.returncode, ended.stdout.decode(errors="replace")


if __name__ == "__main__":
    asyncio.run(_serve())
