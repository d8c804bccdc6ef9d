"""RTSP for libVLC's child: asks a server for its sound and takes the packets over the same connection (TCP).

Debian builds libVLC without live555, its library for RTSP (bug 981439: licence), so libVLC itself cannot.
Sound is taken as MPEG audio, AAC (`mpeg4-generic`, mode AAC-hbr), transport streams, L16, PCMU, PCMA and Opus packets
of 20 ms.

Sources: RFC 2326 (10 methods, 10.12 interleaved packets), RFC 4566 (SDP), RFC 3640 3.3.6 (AAC-hbr), RFC 7587 (Opus).
"""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from hardware.errors import MediaError
from hardware.opus_packets import OpusPacketDecoder
from hardware.vlc_cut import Cut
from hardware.vlc_cut_mp4 import Aac
from hardware.vlc_rtp import Form, Packet, fixed_form, l16_form, parsed, stream, wav_form
from hardware.vlc_web import SILENT_S

_ANSWER_S: Final = 9.0
_LINES_MAX: Final = 100
_LINE_BYTES_MAX: Final = 8_192
_BODY_BYTES_MAX: Final = 65_536
_KEEP_ALIVE_S: Final = 20.0
_PORT: Final = 554


@dataclass(frozen=True, slots=True)
class Sound:
    """The first track of sound in a description."""

    payload_type: int
    coding: str
    parameters: dict[str, str]
    control: str


class RtspSession:
    """A connection to a server.

    Raises:
        MediaError: from every method, when the server is not there or does not do what was asked.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        try:
            self._line = socket.create_connection((parts.hostname or "", parts.port or _PORT), _ANSWER_S)
        except (OSError, ValueError) as error:
            raise MediaError(f"nobody answers: {type(error).__name__}") from error
        self._file = self._line.makefile("rb")
        self._number = 0
        self._session = ""
        host = parts.netloc.rpartition("@")[2]
        self.address = f"rtsp://{host}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        both = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self._authorization = base64.b64encode(both.encode()).decode() if parts.username else ""

    def ask(self, method: str, address: str, **headers: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of an answer."""
        self.send(method, address, **headers)
        try:
            return self._answer()
        except (OSError, ValueError) as error:
            raise MediaError("the RTSP server broke off") from error

    def send(self, method: str, address: str, **headers: str) -> None:
        """Asks without waiting for an answer."""
        self._number += 1
        lines = [f"{method} {address} RTSP/1.0", f"CSeq: {self._number}", "User-Agent: LoaLang"]
        lines += [f"Session: {self._session}"] * bool(self._session)
        lines += [f"Authorization: Basic {self._authorization}"] * bool(self._authorization)
        lines += [f"{name}: {value}" for name, value in headers.items()]
        try:
            self._line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        except (OSError, ValueError) as error:
            raise MediaError("the RTSP server broke off") from error

    def packets(self) -> Iterator[Packet]:
        """RTP packets of the first channel, until the server hangs up."""
        due = time.monotonic() + _KEEP_ALIVE_S
        while True:
            try:
                lead = self._file.read(1)
                if lead == b"$":
                    channel, size = self._exactly(1)[0], int.from_bytes(self._exactly(2), "big")
                    packet = parsed(self._exactly(size)) if channel == 0 else self._skip(size)
                    self._line.settimeout(SILENT_S)
                    if packet is not None:
                        yield packet
                elif not lead:
                    return
                else:
                    self._answer(lead)
            except TimeoutError as error:
                raise MediaError("the station fell silent") from error
            except (OSError, ValueError) as error:
                raise MediaError("the RTSP server broke off") from error
            if time.monotonic() > due:
                due += _KEEP_ALIVE_S
                self.send("OPTIONS", self.address)

    def _answer(self, lead: bytes = b"") -> tuple[dict[str, str], bytes]:
        status = (lead + self._file.readline(_LINE_BYTES_MAX)).split()
        headers: dict[str, str] = {}
        for _ in range(_LINES_MAX):
            name, _, value = self._file.readline(_LINE_BYTES_MAX).decode(errors="replace").strip().partition(":")
            if not name:
                break
            headers[name.lower()] = value.strip()
        if len(status) < 2 or status[1] != b"200":
            raise MediaError(f"the RTSP server answers {b' '.join(status[1:2]).decode(errors='replace')[:10]}")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _BODY_BYTES_MAX:
            raise MediaError("the RTSP server's answer is too large")
        self._session = headers.get("session", self._session).partition(";")[0]
        return headers, self._exactly(int(length))

    def _exactly(self, size: int) -> bytes:
        got = self._file.read(size)
        if len(got) < size:
            raise MediaError("the RTSP server broke off")
        return got

    def _skip(self, size: int) -> Packet | None:
        self._exactly(size)
        return None


def cut_stream(address: str) -> Cut:
    """The sound that an RTSP server offers under an address. Raises MediaError."""
    session = RtspSession(address)
    headers, body = session.ask("DESCRIBE", session.address, Accept="application/sdp")
    sound = described(body)
    form = form_of(sound)
    base = headers.get("content-base", session.address)
    control = urljoin(base if base.endswith("/") else base + "/", sound.control) if sound.control else base
    session.ask("SETUP", control, Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
    session.send("PLAY", session.address, Range="npt=0.000-")
    return stream(session.packets(), form)


def described(body: bytes) -> Sound:
    """The first track of sound in an SDP. Raises MediaError."""
    payload_type, found = -1, {"control": "", "rtpmap": "", "fmtp": ""}
    for line in body.decode(errors="replace").splitlines():
        if line.startswith("m="):
            if payload_type >= 0:
                break
            words = line[2:].split()
            if len(words) >= 4 and words[0] == "audio" and words[3].isdigit():
                payload_type = int(words[3])
        elif payload_type >= 0 and line.startswith("a="):
            name, _, value = line[2:].partition(":")
            if name in found:
                found[name] = value.strip()
    if payload_type < 0:
        raise MediaError("the RTSP server offers no sound")
    fields = (part.partition("=") for part in found["fmtp"].partition(" ")[2].split(";"))
    parameters = {name.strip().lower(): value.strip() for name, _, value in fields}
    return Sound(payload_type, found["rtpmap"].partition(" ")[2].lower(), parameters, found["control"])


def form_of(sound: Sound) -> Form:
    """How its payloads become a stream. Raises MediaError when it is a coding that is not played."""
    name, rate, channels = (*sound.coding.split("/"), "", "")[:3]
    if name == "mpeg4-generic":
        return _aac_form(sound.parameters)
    if name == "opus":
        decoder = OpusPacketDecoder()
        return Form("wav", wav_form(1, 48_000, 1).head, decoder.decode)
    kinds = {"mpa": 14, "mp2t": 33, "pcmu": 0, "pcma": 8}
    if name == "l16" and rate.isdigit() and 8_000 <= int(rate) <= 96_000:
        return l16_form(int(rate), 2 if channels == "2" else 1)
    form = fixed_form(kinds.get(name, sound.payload_type))
    if form is None:
        raise MediaError("RTSP with a coding that is not played")
    return form


def _aac_form(parameters: dict[str, str]) -> Form:
    try:
        aac = Aac.of(bytes.fromhex(parameters.get("config", "")))
    except (ValueError, IndexError) as error:
        raise MediaError("AAC without its configuration") from error
    if parameters.get("mode", "").lower() != "aac-hbr":
        raise MediaError("RTSP with a coding that is not played")

    def unpack(payload: bytes) -> bytes:
        heads = int.from_bytes(payload[:2], "big") // 16
        at, out = 2 + heads * 2, b""
        for head in range(min(heads, 64)):
            size = int.from_bytes(payload[2 + head * 2 : 4 + head * 2], "big") >> 3
            frame = payload[at : at + size]
            out += aac.head(len(frame)) + frame if len(frame) == size else b""
            at += size
        return out

    return Form("aac", b"", unpack)
