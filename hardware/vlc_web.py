"""Streams over HTTP, for libVLC's child: answers are fetched here, libVLC gets their bytes.

libVLC could open addresses itself. It follows a redirect to `file:` and a playlist to wherever that points, tries
again without being asked, and says nothing of a station that fell silent; so it is not given any. Here an answer may
redirect to another http address at most a few times, what it holds is told from its first bytes, and a list of names
is no sound, unless it is an HLS playlist, whose segments are fetched under the same rules (`hardware.vlc_hls`).
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from hardware.errors import MediaError
from hardware.vlc_cut import Cut, after_id3
from hardware.vlc_cut_mpeg import found_in

SILENT_S: Final = 1.0
"""A station that sends nothing for so long has broken off; what the agent holds of it lasts longer."""

_ANSWER_S: Final = 9.0
_REDIRECTS_MAX: Final = 5
_PIECE_BYTES: Final = 8_192
_SNIFF_BYTES: Final = 8_192
_TS_PACKET_BYTES: Final = 188
_AGENT: Final = {"User-Agent": "LoaLang", "Accept": "*/*", "Icy-MetaData": "0"}
_HTTP_ERRORS: Final = (OSError, http.client.HTTPException, ValueError)


class WebAnswer:
    """An HTTP answer that is read as it comes.

    Attributes:
        address: the one that answered, after redirects.
    """

    def __init__(
        self, address: str, *, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse
    ) -> None:
        self.address = address
        self._connection, self._answer = connection, answer

    def read(self) -> bytes:
        """What is there, at least a byte; nothing at the end. Raises MediaError when it breaks off."""
        try:
            return self._answer.read1(_PIECE_BYTES)
        except TimeoutError as error:
            raise MediaError("the station fell silent") from error
        except _HTTP_ERRORS as error:
            raise MediaError("the station broke off") from error

    def read_all(self, bytes_max: int) -> bytes:
        """The whole answer. Raises MediaError when it is larger."""
        got = bytearray()
        while piece := self.read():
            got += piece
            if len(got) > bytes_max:
                raise MediaError("the answer is too large")
        self.close()
        return bytes(got)

    def close(self) -> None:
        """Hangs up."""
        self._answer.close()
        self._connection.close()


def get(address: str, *, silent_s: float = SILENT_S) -> WebAnswer:
    """Asks for an address; its redirects are followed as long as they lead to HTTP.

    Raises:
        MediaError: nobody answers, or not with what was asked for; the message has no address in it.
    """
    for _ in range(_REDIRECTS_MAX):
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise MediaError("the address leads away from the web")
        answer, connection = _ask(parts, silent_s)
        if answer.status not in (301, 302, 303, 307, 308):
            break
        connection.close()
        address = urljoin(address, answer.getheader("Location") or "")
    else:
        raise MediaError("the address redirects again and again")
    if answer.status != http.client.OK:
        connection.close()
        raise MediaError(f"the station answers {answer.status}")
    return WebAnswer(address, connection=connection, answer=answer)


def cut_stream(address: str) -> Cut:
    """A stream from now on.

    Raises:
        MediaError: nobody answers, or what answers is not sound.
    """
    from hardware import vlc_hls, vlc_rtp, vlc_rtsp

    scheme = urlsplit(address).scheme
    if scheme == "rtp":
        return vlc_rtp.cut_stream(address)
    if scheme == "rtsp":
        return vlc_rtsp.cut_stream(address)
    answer = get(address)
    head = b""
    while len(head) < _SNIFF_BYTES and (piece := answer.read()):
        head += piece
        if vlc_hls.is_playlist(head):
            return vlc_hls.cut_stream(answer.address, head + answer.read_all(vlc_hls.PLAYLIST_BYTES_MAX))
        with contextlib.suppress(MediaError, IndexError):
            return Cut(demuxer_of(head), _pieces(head, answer))
    raise MediaError("what answers is not sound")


def demuxer_of(head: bytes) -> str:
    """libVLC's demuxer for what begins so. Raises MediaError when it is not sound."""
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[after_id3(head) :][:4] == b"fLaC":
        return "flac"
    if is_transport_stream(head):
        return "ts"
    demux = found_in(head)
    if demux is None:
        raise MediaError("what answers is not sound")
    return demux


def is_transport_stream(head: bytes) -> bool:
    """Whether it begins with packets of an MPEG transport stream."""
    return len(head) > _TS_PACKET_BYTES and set(head[: _TS_PACKET_BYTES * 5 : _TS_PACKET_BYTES]) == {0x47}


def _pieces(head: bytes, answer: WebAnswer) -> Iterator[bytes]:
    yield head
    while piece := answer.read():
        yield piece


def _ask(parts: SplitResult, silent_s: float) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
    connection: http.client.HTTPConnection
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=_ANSWER_S, context=context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ANSWER_S)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={**_AGENT, **_authorization(parts)})
        line = connection.sock
        answer = connection.getresponse()
        line.settimeout(silent_s)
    except _HTTP_ERRORS as error:
        raise MediaError(f"nobody answers: {type(error).__name__}") from error
    return answer, connection


def _authorization(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    both = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(both.encode()).decode()}
