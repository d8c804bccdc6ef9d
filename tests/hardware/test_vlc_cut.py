"""Files are taken apart frame by frame; whatever stands in them, the answer is a bounded cut or an error."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from hardware import vlc_cut_flac
from hardware.errors import MediaError
from hardware.vlc_cut import Cut, cut_file
from simulators.encoder import encode
from simulators.melody import melody

FORMATS = ("song.opus", "song.mp3", "song.m4a", "song.wav", "song.flac")
LENGTH_MS = 2000
MUTATIONS = 40


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("songs")
    return {name: encode(melody(4, duration_ms=LENGTH_MS), folder / name).read_bytes() for name in FORMATS}


def given(cut: Cut, bytes_max: int = 8 << 20) -> bytes:
    """What libVLC would be given; a cut that never ends fails here."""
    out = bytearray()
    for piece in cut.pieces:
        out += piece
        assert len(out) <= bytes_max
    return bytes(out)


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "sound"
    path.write_bytes(data)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("offset_ms", [0, 1500])
def test_damaged_file_is_cut_or_refused(songs: dict[str, bytes], tmp_path: Path, name: str, offset_ms: int) -> None:
    chance = random.Random(f"{name} {offset_ms}")
    for _ in range(MUTATIONS):
        data = bytearray(songs[name])
        for _ in range(chance.randint(1, 12)):
            data[chance.randrange(min(len(data), chance.choice((64, 1500, len(data)))))] = chance.randrange(256)
        if chance.random() < 0.4:
            del data[chance.randrange(len(data)) :]
        try:
            cut = cut_file(put(tmp_path, bytes(data)), offset_ms * 48)
            given(cut, 64 << 20)
        except (MediaError, IndexError, ValueError):  # of the pieces, the child tells any error
            continue
        assert cut.samples is None or cut.samples < 1 << 48


@pytest.mark.parametrize(
    "head",
    [b"fLaC", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x20ftypM4A ", b"OggS", b"ID3\4\0\0\x7f\x7f\x7f\x7f", b"\xff\xfb\x94\xc4"],
)
@pytest.mark.parametrize("rest", [b"", b"\0" * 5000, b"\xff" * 5000, bytes(range(256)) * 20])
def test_nothing_behind_the_first_bytes(tmp_path: Path, head: bytes, rest: bytes) -> None:
    with pytest.raises(MediaError):
        cut = cut_file(put(tmp_path, head + rest), 0)
        given(cut)
        assert not cut.samples
        raise MediaError("nothing in it")


def test_table_that_claims_a_million_frames(songs: dict[str, bytes], tmp_path: Path) -> None:
    data = songs["song.m4a"]
    at = data.find(b"stsz") + 12
    with pytest.raises(MediaError):
        cut_file(put(tmp_path, data[:at] + struct.pack(">I", 0x7FFF_FFFF) + data[at + 4 :]), 0)


def test_box_that_holds_itself(tmp_path: Path) -> None:
    endless = b"\0\0\0\x18ftypM4A " + bytes(12) + struct.pack(">I4sQ", 1, b"moov", 1) * 2000
    with pytest.raises(MediaError):
        cut_file(put(tmp_path, endless), 0)


def test_tags_before_and_behind_the_frames_are_no_sound(songs: dict[str, bytes], tmp_path: Path) -> None:
    plain = cut_file(put(tmp_path, songs["song.mp3"]), 0)
    given(plain)
    before = b"ID3\4\0\0\0\0\x10\0" + b"\xff\xfb" * 1024
    tagged = cut_file(put(tmp_path, before + songs["song.mp3"] + b"TAG" + b"\xff" * 125), 0)
    given(tagged)
    assert tagged.samples == plain.samples == LENGTH_MS * 48


def test_torn_frame_is_left_out(songs: dict[str, bytes], tmp_path: Path) -> None:
    cut = cut_file(put(tmp_path, songs["song.mp3"][:-500]), 0)
    given(cut)
    assert cut.samples is not None and cut.samples < LENGTH_MS * 48


@pytest.mark.parametrize(
    "number", [0, 127, 128, 2047, 2048, 65_535, 1 << 21, 1 << 26, (1 << 31) - 1, 1 << 31, (1 << 36) - 1]
)
def test_frame_numbers_are_coded_as_they_are_read(number: int) -> None:
    coded = vlc_cut_flac._number_coded(number)
    assert vlc_cut_flac._coded_number(coded + b"\x12", 0) == (number, len(coded))
