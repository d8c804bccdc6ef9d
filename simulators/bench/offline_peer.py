"""The neighbour of `offline-sync`: curl brings the same files from the same controller over such a line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from edge.adapters.tls import SERVER_NAME
from protocol.bulletin import MediaRef
from simulators.bad_line import Direction
from simulators.bench.told import Value
from simulators.identities import keys_of
from simulators.network import Network
from simulators.real_town import HERE, RealTown

_WITHIN_S: Final = 3600.0


async def curl(town: RealTown, device: str, media: Sequence[MediaRef], *, bytes_per_s: float) -> dict[str, Value]:
    """`curl_s`, `curl_bytes`, `version_curl`: one process, one connection, the device's certificate.

    Raises:
        RuntimeError: it did not bring them.
    """
    network, keys = Network(bytes_per_s=bytes_per_s), keys_of(town.office.data) / device
    port = await network.open(HERE, town.device_port)
    papers = ("--cacert", keys / "ca.pem", "--cert", keys / "device.pem", "--key", keys / "device-key.pem")
    words = ["--silent", "--fail", *map(str, papers), "--connect-to", f"{SERVER_NAME}:{port}:{HERE}:{port}"]
    for one in media:
        place = town.directory / f"{one.digest}.curl"
        words += ["--output", str(place), f"https://{SERVER_NAME}:{port}/media/{one.digest}"]
    began_s = time.monotonic()
    process = await asyncio.create_subprocess_exec("curl", *words)
    try:
        async with asyncio.timeout(_WITHIN_S):
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        brought_bytes = sum(network.through(way) for way in Direction)
        await network.close()
    brought = sum((town.directory / f"{one.digest}.curl").stat().st_size for one in media) if not code else 0
    if brought != sum(one.size_bytes for one in media):
        raise RuntimeError(f"curl did not bring the files: it ended with {code}")
    return {
        "curl_s": round(time.monotonic() - began_s, 1),
        "curl_bytes": brought_bytes,
        "version_curl": await _version(),
    }


async def _version() -> str:
    asked = await asyncio.create_subprocess_exec("curl", "--version", stdout=asyncio.subprocess.PIPE)
    out, _ = await asked.communicate()
    return out.decode().split(" ")[1]
