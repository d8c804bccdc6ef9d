"""The microphone at the device: what is spoken comes out levelled, and is kept."""

from __future__ import annotations

import audioop
import logging
import os
import threading
from pathlib import Path

import pytest

from hardware.interfaces import FRAME_BYTES, FRAME_MS
from hardware.microphone import RING_NAME, AlsaMicrophone
from hardware.ring_export import export
from hardware.ring_writer import RingWriter
from hardware.sound_ring import SoundRing, slots_of
from simulators.alsa_library import SimAlsa, SimSoundHardware
from simulators.alsa_plugins import alsa_plugins
from simulators.listening import find
from simulators.melody import melody

SAID = audioop.mul(melody(6, duration_ms=3000), 2, 0.2)


@pytest.mark.slow
async def test_voice_comes_levelled_and_is_kept(tmp_path: Path) -> None:
    with alsa_plugins(tmp_path, said=SAID):
        microphone = AlsaMicrophone("loa_input", ring=tmp_path / "ring", wall_ms=lambda: 1_795_000_000_000)
        source = await microphone.open()
        heard = b"".join([await source.read() or b"" for _ in range(len(SAID) // FRAME_BYTES)])
        await source.close()
    assert microphone.ring is not None
    microphone.ring.wait_written()
    assert audioop.rms(heard[96_000:], 2) > 2 * audioop.rms(SAID[96_000:], 2)
    (stretch,) = export(tmp_path / "ring" / RING_NAME, tmp_path / "out.wav")
    assert stretch.duration_ms == len(heard) // 96
    kept = audioop.ratecv((tmp_path / "out.wav").read_bytes()[44:], 2, 1, 16_000, 48_000, None)[0]
    assert find(heard[96_000:-9600], kept).correlation > 0.97


async def test_each_opening_is_a_stretch_of_its_own(tmp_path: Path) -> None:
    wall_ms = iter(range(0, 10_000_000, 1000))
    microphone = AlsaMicrophone(
        "hw:1", ring=tmp_path, library=SimAlsa(SimSoundHardware()), wall_ms=lambda: next(wall_ms)
    )
    for _ in range(2):
        source = await microphone.open()
        assert len(await source.read() or b"") == FRAME_BYTES
        await source.close()
        await source.close()
    assert microphone.ring is not None
    microphone.ring.wait_written()
    first, second = slots_of(tmp_path / RING_NAME)
    assert (first.opening, second.opening) == (1, 2)
    assert (first.wall_ms, second.wall_ms) == (-30, 970)
    assert first.samples == FRAME_MS * 16


async def test_full_disk_holds_no_voice_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    microphone = AlsaMicrophone("hw:1", ring=tmp_path, library=SimAlsa(SimSoundHardware()))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            source = await microphone.open()
            assert len(await source.read() or b"") == FRAME_BYTES
            await source.close()
        assert microphone.ring is not None
        microphone.ring.wait_written()
    assert caplog.text.count("is not kept") == 1


def say(writer: RingWriter, *, seconds: int) -> None:
    for number in range(seconds * 50):
        writer.add(bytes(FRAME_BYTES), number * FRAME_MS)
    writer.end()
    writer.wait_written()


def test_what_is_said_after_the_disk_was_full_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RingWriter(SoundRing(tmp_path / "ring", slots=10))
    say(writer, seconds=2)
    whole = os.pwrite

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    say(writer, seconds=1)
    monkeypatch.setattr(os, "pwrite", whole)
    say(writer, seconds=2)
    assert [(slot.opening, slot.samples) for slot in slots_of(tmp_path / "ring")] == [(1, 32_000), (2, 32_000)]


def test_what_is_said_after_the_disk_was_too_slow_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring, answers = SoundRing(tmp_path / "ring", slots=40), threading.Event()
    writer, add = RingWriter(ring), ring.add

    def slow(samples: bytes, wall_ms: int) -> None:
        answers.wait()
        add(samples, wall_ms)

    monkeypatch.setattr(ring, "add", slow)
    for number in range(40 * 50):
        writer.add(bytes(FRAME_BYTES), number * FRAME_MS)
    writer.end()
    answers.set()
    writer.wait_written()
    say(writer, seconds=2)
    *former, last = slots_of(tmp_path / "ring")
    assert 28_000 <= sum(slot.samples for slot in former) // 16 < 40_000
    assert (last.opening, last.samples) == (last.number, 32_000)


async def test_nothing_is_kept_without_a_directory() -> None:
    microphone = AlsaMicrophone("hw:1", ring=None, library=SimAlsa(SimSoundHardware()))
    source = await microphone.open()
    assert len(await source.read() or b"") == FRAME_BYTES
    await source.close()
    assert microphone.ring is None
