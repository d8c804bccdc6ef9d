"""A relay of a web radio for a fixed time: the address is signed, what is said there is not.

Nobody can sign ahead what a station will say. What the signature holds is who is asked: no controller, broker or
passer-by can turn a device to another address. With https the station proves its name as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import urlsplit

from protocol.codec import bounded
from protocol.limits import MEDIA_DURATION_MS_MAX, STREAM_ADDRESS_CHARS_MAX

STREAM_SCHEMES: Final = ("https", "http", "rtsp", "rtp")


def check_stream_address(address: str) -> None:
    """Raises ValueError unless it is an address of a stream that a person can read aloud and compare.

    Plain printable ASCII, so no letter looks like another one; no user name or password, which everybody who holds
    the document could read; no fragment, which no server is told.
    """
    if not 0 < len(address) <= STREAM_ADDRESS_CHARS_MAX:
        raise ValueError(f"the address of a stream has 1 to {STREAM_ADDRESS_CHARS_MAX} characters")
    if any(not "!" <= letter <= "~" or letter in '"<>\\^`{|}' for letter in address):
        raise ValueError("the address of a stream is plain ASCII without spaces")
    parts = urlsplit(address)
    if parts.scheme not in STREAM_SCHEMES or not address.startswith(f"{parts.scheme}://"):
        raise ValueError("a stream is reached by https, http, rtsp or rtp")
    if not parts.hostname or "@" in parts.netloc or "#" in address:
        raise ValueError("the address of a stream names a host, and neither a user nor a fragment")
    if parts.port == 0:
        raise ValueError("a port is between 1 and 65535")


@dataclass(frozen=True, slots=True)
class StreamRelay:
    """A relay of a web radio or network stream (tiếp sóng Internet).

    Attributes:
        address: https, http, rtsp or rtp; HLS playlists by http(s).
    """

    KIND: ClassVar[str] = "stream"
    address: str = field(metadata=bounded(chars_max=STREAM_ADDRESS_CHARS_MAX))
    duration_ms: int = field(metadata=bounded(low=1000, high=MEDIA_DURATION_MS_MAX))

    def __post_init__(self) -> None:
        check_stream_address(self.address)
