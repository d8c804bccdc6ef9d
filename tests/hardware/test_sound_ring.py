"""The last 30 minutes stay, through power cuts, full disks and rubbish."""

from __future__ import annotations

import audioop
import os
import random
import shutil
import signal
import stat
import struct
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from hardware.ring_export import GAP_MS, Stretch, export
from hardware.sound_ring import RING_RATE, SLOT_BYTES, SLOT_MS, SLOTS, SoundRing, slots_of, sound_of
from simulators.listening import find
from simulators.melody import melody

WALL = 1_795_000_000_000
SECOND = bytes(96_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ring" / "microphone.ring"


def say(ring: SoundRing, *, seconds: int, wall_ms: int = WALL, sound: bytes = SECOND) -> None:
    """An opening of the microphone, in frames."""
    for number in range(seconds * 50):
        at = number * 1920 % len(sound)
        ring.add(sound[at : at + 1920], wall_ms + number * 20)
    ring.end()


def samples_of(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RING_RATE)
        return file.readframes(file.getnframes())


def upsampled(samples: bytes) -> bytes:
    return audioop.ratecv(samples, 2, 1, RING_RATE, 48_000, None)[0]


def test_half_an_hour_fits_into_fifteen_megabytes() -> None:
    assert SLOTS * SLOT_MS == 30 * 60 * 1000
    assert SLOTS * SLOT_BYTES < 15_000_000


def test_what_was_said_can_be_heard(path: Path, tmp_path: Path) -> None:
    ring, sound = SoundRing(path, slots=10), melody(4, duration_ms=5000)
    say(ring, seconds=5, sound=sound)
    ring.close()
    assert export(path, tmp_path / "out.wav") == [Stretch(WALL, 0, 5000)]
    found = find(sound[96_000:384_000], upsampled(samples_of(tmp_path / "out.wav")))
    assert found.correlation > 0.98
    assert found.offset_ms == pytest.approx(1000, abs=2)


def test_empty_ring_gives_an_empty_file(path: Path, tmp_path: Path) -> None:
    assert export(path, tmp_path / "out.wav") == []
    assert samples_of(tmp_path / "out.wav") == b""


def test_openings_are_stretches_with_their_time(path: Path, tmp_path: Path) -> None:
    ring = SoundRing(path, slots=20)
    say(ring, seconds=3, wall_ms=WALL)
    say(ring, seconds=4, wall_ms=WALL + 3_600_000)
    ring.close()
    first, second = export(path, tmp_path / "out.wav")
    assert first == Stretch(WALL, 0, 3000)
    assert second == Stretch(WALL + 3_600_000, 3000 + GAP_MS, 4000)
    assert len(samples_of(tmp_path / "out.wav")) == (3000 + GAP_MS + 4000) * RING_RATE // 1000 * 2
    data = (tmp_path / "out.wav").read_bytes()
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    assert b"2026-11-18T18:06:40+07:00\0" in data
    assert b"2026-11-18T19:06:40+07:00\0" in data


def test_oldest_is_overwritten(path: Path) -> None:
    ring = SoundRing(path, slots=5)
    say(ring, seconds=16)
    ring.close()
    assert [slot.number for slot in slots_of(path)] == [4, 5, 6, 7, 8]
    assert path.stat().st_size == 5 * SLOT_BYTES
    assert slots_of(path)[0].wall_ms == WALL + 3 * SLOT_MS


def test_restart_goes_on_where_it_was(path: Path) -> None:
    for opening in range(3):
        ring = SoundRing(path, slots=10)
        say(ring, seconds=4, wall_ms=WALL + opening * 60_000)
        ring.close()
    assert [slot.number for slot in slots_of(path)] == [1, 2, 3, 4, 5, 6]
    assert [slot.opening for slot in slots_of(path)] == [1, 1, 3, 3, 5, 5]


def test_nothing_is_written_while_nobody_speaks(path: Path) -> None:
    ring = SoundRing(path)
    ring.end()
    ring.close()
    assert not path.exists()


def test_file_is_for_nobody_else(path: Path) -> None:
    ring = SoundRing(path, slots=2)
    say(ring, seconds=2)
    ring.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_torn_write_costs_one_slot(path: Path) -> None:
    """However far the write of a slot came when the power went."""
    ring = SoundRing(path, slots=4)
    say(ring, seconds=8)
    before = path.read_bytes()
    say(ring, seconds=2, sound=melody(1, duration_ms=2000))
    after = path.read_bytes()
    ring.close()
    for cut in (1, 4, 20, 43, 44, 45, 4096, 10_000, 16_000):
        path.write_bytes(after[:cut] + before[cut:])
        assert [slot.number for slot in slots_of(path)][-3:] == [2, 3, 4]
        again = SoundRing(path, slots=4)
        say(again, seconds=2)
        again.close()
        assert [slot.number for slot in slots_of(path)] == [2, 3, 4, 5]


def test_damaged_slot_parts_the_stretch(path: Path, tmp_path: Path) -> None:
    ring = SoundRing(path, slots=10)
    say(ring, seconds=10)
    ring.close()
    data = bytearray(path.read_bytes())
    data[2 * SLOT_BYTES + 500] ^= 1
    path.write_bytes(data)
    assert export(path, tmp_path / "out.wav") == [Stretch(WALL, 0, 4000), Stretch(WALL + 6000, 5000, 4000)]


def test_rubbish_is_passed_over(path: Path, tmp_path: Path) -> None:
    chance = random.Random(3)
    ring = SoundRing(path, slots=4)
    say(ring, seconds=8)
    ring.close()
    whole = path.read_bytes()
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 40)):
            data[chance.randrange(4) * SLOT_BYTES + chance.randrange(60)] = chance.randrange(256)
        path.write_bytes(data)
        export(path, tmp_path / "out.wav")
    path.write_bytes(chance.randbytes(100_000))
    assert slots_of(path) == []
    path.write_bytes(b"LLMR" + bytes(10))
    assert slots_of(path) == []


def test_foreign_file_is_set_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else")
    ring = SoundRing(path, slots=3)
    say(ring, seconds=2)
    ring.close()
    assert path.with_suffix(".damaged").read_bytes() == b"something else"
    assert len(slots_of(path)) == 1


def test_slot_that_is_overwritten_meanwhile_is_silent(path: Path) -> None:
    ring = SoundRing(path, slots=2)
    say(ring, seconds=4, sound=melody(1, duration_ms=4000))
    slots = slots_of(path)
    say(ring, seconds=2, sound=melody(2, duration_ms=2000))
    first, second = sound_of(path, slots)
    ring.close()
    assert not any(first)
    assert any(second)


@pytest.mark.slow
def test_killed_writer_loses_two_seconds(path: Path) -> None:
    script = (
        "import sys, pathlib; from hardware.sound_ring import SoundRing\n"
        "ring = SoundRing(pathlib.Path(sys.argv[1]), slots=50)\n"
        "for number in range(100_000):\n"
        "    ring.add(bytes(1920), number * 20)\n"
        "    if number >= 250: print(number, flush=True)\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        said_ms = 20 * int((first + child.stdout.read()).splitlines()[-2:][0])
    slots = slots_of(path)
    assert slots[-1].wall_ms + SLOT_MS >= said_ms - SLOT_MS
    assert [slot.number for slot in slots] == list(range(slots[0].number, slots[-1].number + 1))


def test_full_disk_is_told_before_a_word_is_lost(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    ring = SoundRing(path, slots=3)
    with pytest.raises(OSError, match="space"):
        say(ring, seconds=2)
    assert list(path.parent.iterdir()) == []
    monkeypatch.undo()
    say(ring, seconds=2)
    assert len(slots_of(path)) == 1
    ring.close()


def test_half_an_export_is_not_left_behind(path: Path, tmp_path: Path) -> None:
    ring = SoundRing(path, slots=3)
    say(ring, seconds=2)
    ring.close()
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(OSError):
        export(path, target)
    assert not list(tmp_path.glob("*.half"))
    shutil.rmtree(target)
