"""What a file is, told from its own bytes and never from its name, before a decoder sees it.

A decoder that guesses would also take playlists that name other files or addresses; so the kind is settled here and
the decoder is told. Also tells a file that was cut off, where the kind allows it.
"""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import BinaryIO, Final

from controller.library.refusal import Reason, SoundRefusedError

HEAD_BYTES: Final = 4096
_PAGE_BYTES_MAX: Final = 27 + 255 + 255 * 255
_ID3_HEADER_BYTES: Final = 10
_ADTS_HEADER_BYTES: Final = 7
_CHUNKS_MAX: Final = 64
_LENGTH_UNKNOWN: Final = 0xFFFF_FF00

_FOREIGN: Final = (
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"%PDF", "document"),
    (b"PK\x03\x04", "document"),
    (b"\xd0\xcf\x11\xe0", "document"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"FLV", "video"),
    (b"\x00\x00\x01\xba", "video"),
)


def kind_of(path: Path) -> str:
    """The demuxer that reads this file: mp3, ogg, wav, flac, mp4 or aac.

    Raises:
        SoundRefusedError: empty, or not sound; `looks_like` says what it seems to be.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if not head:
            raise SoundRefusedError(Reason.EMPTY)
        kind = _known(head) or _mpeg_kind(_after_id3(file, head))
    if kind is None:
        raise SoundRefusedError(Reason.NOT_AUDIO, looks_like=_foreign(head))
    return kind


def _known(head: bytes) -> str | None:
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    return "mp4" if head[4:8] == b"ftyp" else None


def _after_id3(file: BinaryIO, head: bytes) -> bytes:
    if head[:3] != b"ID3" or len(head) < _ID3_HEADER_BYTES:
        return head
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    file.seek(_ID3_HEADER_BYTES + size)
    # Encoders pad the tag; the first frame is what tells.
    return file.read(HEAD_BYTES).lstrip(b"\0")


def _mpeg_kind(head: bytes) -> str | None:
    if head[:4] == b"fLaC":
        return "flac"
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer = head[1] >> 1 & 3
    if layer == 0:
        return "aac" if head[1] & 0xF0 == 0xF0 else None
    valid = head[2] >> 4 != 15 and head[2] >> 2 & 3 != 3 and head[1] >> 3 & 3 != 1
    return "mp3" if valid else None


def _foreign(head: bytes) -> str:
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF":
        return "video" if head[8:11] == b"AVI" else "picture"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut
    except UnicodeDecodeError:
        return "unknown"
    return "text" if all(letter.isprintable() or letter.isspace() for letter in text) and text else "unknown"


def tells_length(path: Path, kind: str) -> bool:
    """Whether the length this file claims was written by its encoder, and not guessed from size and bit rate."""
    if kind in ("wav", "flac", "mp4"):
        return True
    if kind != "mp3":
        return False
    with path.open("rb") as file:
        first = _after_id3(file, file.read(HEAD_BYTES))[:HEAD_BYTES]
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def ends_in_the_middle(path: Path, kind: str) -> bool:
    """Whether the file stops before the end its own headers promise; mp3, flac and mp4 tell by their length."""
    checks = {"ogg": _last_page_is_cut, "wav": _wav_is_cut, "aac": _last_aac_frame_is_cut}
    return kind in checks and checks[kind](path)


def _last_page_is_cut(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(-min(size, _PAGE_BYTES_MAX + 4), os.SEEK_END)
        tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


def _wav_is_cut(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(12)
        for _ in range(_CHUNKS_MAX):
            name, length = file.read(4), int.from_bytes(file.read(4), "little")
            if name == b"data":
                # Recorders that could not go back to write the length leave 0 or all ones.
                return 0 < length < _LENGTH_UNKNOWN and file.tell() + length > size
            file.seek(length + length % 2, os.SEEK_CUR)
    return True


def _last_aac_frame_is_cut(path: Path) -> bool:
    size = path.stat().st_size
    begin = 0
    with path.open("rb") as file:
        while len(header := file.read(_ADTS_HEADER_BYTES)) == _ADTS_HEADER_BYTES:
            length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
            if header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or length < _ADTS_HEADER_BYTES:
                return False  # a tag, or damage, which the decoder tells
            begin += length
            file.seek(begin)
    return begin > size or bool(header)


def reason_unreadable(path: Path, kind: str) -> Reason:
    """Why a decoder finds nothing in a file that begins like this kind."""
    if kind in ("mp3", "aac"):
        return Reason.NOT_AUDIO  # their mark is two bytes, which other files have too
    # An mp4 has its table of contents at the end, where a cut takes it away.
    return Reason.CUT_OFF if kind == "mp4" or ends_in_the_middle(path, kind) else Reason.DAMAGED
