"""The way to the controller and the broker, with the device's own certificate. It reads and asks; it changes nothing.

The broker is not told our name: a second client of that name would throw the agent's session out. The controller is
asked for its time, as the agent does when it starts; its answer tells whether it knows this device.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hardware.errors import BoardError
from hardware.i18n import gettext as _
from hardware.i18n import worded
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result

SERVER_NAME: Final = "controller.loalang.internal"
NO_CHECK_TIME: Final = 0x20_0000
"""Both as the agent has them in `edge.adapters.tls`, held together by a test; this package knows no agent."""
_FILE_BYTES_MAX: Final = 64 * 1024
_ANSWER_BYTES_MAX: Final = 16 * 1024
_CONNECT_S: Final = 6.0
_REFUSAL_COMES_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """How this device reaches its controller, from `device.json`."""

    url: str
    mqtt_host: str
    mqtt_port: int
    token: str = field(default="", repr=False)
    ca: str = ""
    certificate: str = ""
    key: str = ""
    data: str = "data"
    device: str = ""


def read_line(path: Path) -> Line:
    """Reads what is needed here; the agent reads the same file strictly.

    Raises:
        BoardError: it cannot be read, or lacks what is needed.
    """
    try:
        with path.open("rb") as file:
            told: Any = json.loads(file.read(_FILE_BYTES_MAX))
        line = Line(
            url=str(told["controller_url"]),
            mqtt_host=str(told["mqtt_host"]),
            mqtt_port=int(told["mqtt_port"]),
            token=str(told.get("token", "")),
            device=str(told.get("device", "")),
            data=str(path.resolve().parent / str(told.get("data", "data"))),
            **{name: _beside(path, told.get(name)) for name in ("ca", "certificate", "key")},
        )
        urlsplit(line.url).port  # noqa: B018 - raises for a port that is no number
    except OSError as error:
        raise BoardError("%(path)s: %(why)s", path=path, why=error.strerror) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BoardError(f"{path}: {type(error).__name__}: {error}") from error
    return line


def _beside(path: Path, name: object) -> str:
    return str(path.resolve().parent / str(name)) if name else ""


async def try_link(bench: Bench) -> Finding:
    """Controller and broker, one after the other; both must answer."""
    if bench.device_file is None:
        return Finding(
            Result.ABSENT, _("This board is not enrolled yet."), _("Enrol it: python -m provisioning enrol")
        )
    try:
        line = read_line(bench.device_file)
        tls = _context(line)
    except (BoardError, OSError) as error:
        found = _("The device's papers cannot be used: %(why)s") % {"why": worded(error)}
        return Finding(Result.FAIL, found, _("Enrol the device again."))
    figures: dict[str, Figure] = {"tls": tls is not None}
    said = [await _controller(line, tls, figures), await _broker(line, tls, figures)]
    if figures["controller_reached"] and figures["broker_reached"]:
        result, advice = Result.OK, ""
        if not figures["controller_knows_us"]:
            result, advice = Result.FAIL, _("The controller does not know this device: enrol it, or ask the office.")
    else:
        result = Result.FAIL
        advice = _("Look at the network cable, the SIM and the address in device.json. What is stored plays on.")
    return Finding(result, " · ".join(said), advice, figures)


def _context(line: Line) -> ssl.SSLContext | None:
    """Our CA and nothing else, and no look at dates: a device whose clock is dead connects all the same."""
    if not line.ca:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(line.ca)
    context.load_cert_chain(line.certificate, line.key)
    context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    return context


async def _controller(line: Line, tls: ssl.SSLContext | None, figures: dict[str, Figure]) -> str:
    url = urlsplit(line.url)
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    began = time.monotonic()
    figures |= {"controller_reached": False, "controller_knows_us": False}
    try:
        status = await asyncio.wait_for(_asked(line, host, port, tls=tls), _CONNECT_S * 2)
    except (OSError, ValueError, TimeoutError, EOFError) as error:
        return _("%(address)s does not answer: %(why)s") % {"address": f"{host}:{port}", "why": _reason(error)}
    figures |= {
        "controller_reached": True,
        "controller_knows_us": status == 200,
        "controller_status": status,
        "controller_ms": round((time.monotonic() - began) * 1000),
    }
    if status != 200:
        return _("the controller refuses this device (%(status)d)") % {"status": status}
    return _("controller answers after %(ms)d ms") % {"ms": figures["controller_ms"]}


async def _asked(line: Line, host: str, port: int, *, tls: ssl.SSLContext | None) -> int:
    reader, writer = await _connect(host, port, tls)
    body = json.dumps({"nonce": secrets.token_hex(16)}).encode()
    head = [
        f"POST {urlsplit(line.url).path.rstrip('/')}/device/v1/attest HTTP/1.1",
        f"Host: {host}:{port}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *([f"Authorization: Bearer {line.token}"] if line.token and tls is None else []),
    ]
    try:
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        await writer.drain()
        answer = await reader.read(_ANSWER_BYTES_MAX)
    finally:
        await _close(writer)
    words = answer.split(b"\r\n", 1)[0].split(b" ")
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise ValueError("what answers is not a controller")
    return int(words[1][:3])


async def _broker(line: Line, tls: ssl.SSLContext | None, figures: dict[str, Figure]) -> str:
    address = f"{line.mqtt_host}:{line.mqtt_port}"
    began = time.monotonic()
    figures["broker_reached"] = False
    try:
        reader, writer = await _connect(line.mqtt_host, line.mqtt_port, tls)
        figures["broker_ms"] = round((time.monotonic() - began) * 1000)
        try:
            await _stays_open(reader)
        finally:
            await _close(writer)
    except (OSError, ValueError, TimeoutError, EOFError) as error:
        return _("%(address)s does not answer: %(why)s") % {"address": address, "why": _reason(error)}
    figures["broker_reached"] = True
    return _("broker answers after %(ms)d ms") % {"ms": figures["broker_ms"]}


async def _stays_open(reader: asyncio.StreamReader) -> None:
    """With TLS 1.3 a refused certificate is told after the handshake: a broker that likes us just waits for us."""
    with suppress(TimeoutError):
        if not await asyncio.wait_for(reader.read(1), _REFUSAL_COMES_S):
            raise EOFError("it closes the line: the certificate is not accepted")


async def _connect(
    host: str, port: int, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    opening = asyncio.open_connection(host, port, ssl=tls, server_hostname=SERVER_NAME if tls else None)
    return await asyncio.wait_for(opening, _CONNECT_S)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 2)


def _reason(error: Exception) -> str:
    return str(error) or (_("no answer in time") if isinstance(error, TimeoutError) else type(error).__name__)
