"""A station as a process of its own, so that it can be killed or held up by a signal.

python -m simulators.bench.failover_station PORT             a web radio with real HTTP
python -m simulators.bench.failover_station PORT MOUNT       feeds MP3 at its pace into an Icecast on that port
"""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from simulators.encoder import encode
from simulators.melody import melody
from simulators.web_radio import LENGTH_MS, TUNE, WebRadio

SOURCE_PASSWORD: Final = "bench"  # noqa: S105
_STEP_S: Final = 0.04
_BURST_S: Final = 2.0


async def _radio(port: int) -> None:
    async with WebRadio(burst_ms=round(_BURST_S * 1000), port=port):
        await asyncio.Event().wait()


async def _feed(port: int, mount: str) -> None:
    """An Icecast source client: PUT with an endless body."""
    with tempfile.TemporaryDirectory() as folder:
        coded = encode(melody(TUNE, duration_ms=LENGTH_MS), Path(folder) / "tune.mp3").read_bytes()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    login = base64.b64encode(f"source:{SOURCE_PASSWORD}".encode()).decode()
    head = (f"PUT /{mount} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Basic {login}", "Content-Type: audio/mpeg")
    writer.write("\r\n".join((*head, "", "")).encode())
    answer = await reader.readline()
    if b" 200 " not in answer:
        raise SystemExit(f"Icecast says {answer!r}")
    begin, sent, bytes_per_s = time.monotonic() - _BURST_S, 0, len(coded) * 1000 / LENGTH_MS
    while True:
        due = int((time.monotonic() - begin) * bytes_per_s)
        while sent < due:
            piece = coded[sent % len(coded) :][: due - sent]
            writer.write(piece)
            sent += len(piece)
        await writer.drain()
        await asyncio.sleep(_STEP_S)


if __name__ == "__main__":
    work = _radio(int(sys.argv[1])) if len(sys.argv) == 2 else _feed(int(sys.argv[1]), sys.argv[2])
    asyncio.run(work)
