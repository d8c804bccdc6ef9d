"""HLS for libVLC's child: playlist after playlist is read, and their segments become one stream.

Taken are segments of MPEG transport streams and bare MP3 or AAC, as web radios send them; encrypted segments, byte
ranges and fragmented MP4 are refused. Of several qualities the smallest is played: a horn needs no more.

Source: RFC 8216 (4 playlists, 6.3.3 where to begin, 6.3.4 when to ask again).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin

from hardware.errors import MediaError
from hardware.vlc_cut import Cut, after_id3

PLAYLIST_BYTES_MAX: Final = 1 << 20
_SEGMENT_BYTES_MAX: Final = 16 << 20
_SEGMENTS_MAX: Final = 20_000
_BEHIND: Final = 3
_ASK_AGAIN_S_MIN: Final = 0.5
_TARGET_S_MAX: Final = 60
_ATTRIBUTE: Final = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')


@dataclass(slots=True)
class Playlist:
    """A playlist, master or media.

    Attributes:
        choices: of a master playlist: bits per second and address of each quality; 0 for a track of sound alone.
        segments: of a media playlist: number and address.
    """

    choices: list[tuple[int, str]] = field(default_factory=list)
    segments: list[tuple[int, str]] = field(default_factory=list)
    target_s: float = 6.0
    ended: bool = False


def is_playlist(head: bytes | bytearray) -> bool:
    """Whether this begins as an HLS playlist does."""
    return head[:3] == b"#EX" and head.startswith(b"#EXTM3U") and b"#EXT-X-" in head


def cut_stream(address: str, text: bytes) -> Cut:
    """What a playlist names, from its live edge on, or from its beginning when it has an end.

    Raises:
        MediaError: not a playlist that can be played.
    """
    from hardware.vlc_web import demuxer_of, get

    playlist = parsed(address, text)
    if playlist.choices:
        address = min(playlist.choices)[1]
        playlist = parsed(address, get(address).read_all(PLAYLIST_BYTES_MAX))
    pieces = _pieces(address, playlist)
    first = next(pieces, b"")
    return Cut(demuxer_of(first), _chained(first, pieces))


def parsed(address: str, text: bytes) -> Playlist:
    """Reads a playlist. Raises MediaError."""
    if not text.startswith(b"#EXTM3U") or len(text) > PLAYLIST_BYTES_MAX:
        raise MediaError("not an HLS playlist")
    playlist, number, bandwidth = Playlist(), 0, None
    for line in text.decode(errors="replace").splitlines():
        name, _, value = line.strip().partition(":")
        if name in ("#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-BYTERANGE") and "METHOD=NONE" not in value:
            raise MediaError(f"HLS with {name[1:]} is not played")
        if name == "#EXT-X-MEDIA-SEQUENCE":
            number = _whole(value)
        elif name == "#EXT-X-TARGETDURATION":
            playlist.target_s = min(max(1, _whole(value)), _TARGET_S_MAX)
        elif name == "#EXT-X-ENDLIST":
            playlist.ended = True
        elif name == "#EXT-X-STREAM-INF":
            bandwidth = _whole(dict(_ATTRIBUTE.findall(value)).get("BANDWIDTH", "0"))
        elif name == "#EXT-X-MEDIA":
            _add_track(playlist, address, dict(_ATTRIBUTE.findall(value)))
        elif line.strip() and not line.startswith("#"):
            target = urljoin(address, line.strip())
            if bandwidth is None:
                playlist.segments.append((number + len(playlist.segments), target))
            else:
                playlist.choices.append((bandwidth, target))
            bandwidth = None
    if len(playlist.segments) > _SEGMENTS_MAX or not (playlist.segments or playlist.choices):
        raise MediaError("an HLS playlist without segments")
    return playlist


def _add_track(playlist: Playlist, address: str, attributes: dict[str, str]) -> None:
    target = attributes.get("URI", "").strip('"')
    if attributes.get("TYPE") == "AUDIO" and target:
        playlist.choices.append((0, urljoin(address, target)))


def _whole(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


def _pieces(address: str, playlist: Playlist) -> Iterator[bytes]:
    from hardware.vlc_web import get

    segments = playlist.segments
    number = segments[0 if playlist.ended else max(0, len(segments) - _BEHIND)][0]
    while True:
        for its_number, target in playlist.segments:
            if its_number >= number:
                segment = get(target).read_all(_SEGMENT_BYTES_MAX)
                yield segment[after_id3(segment) :]
                number = its_number + 1
        if playlist.ended:
            return
        time.sleep(max(_ASK_AGAIN_S_MIN, playlist.target_s / 2))
        playlist = parsed(address, get(address).read_all(PLAYLIST_BYTES_MAX))


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
