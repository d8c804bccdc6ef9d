"""What comes in is either refused with its reason, or comes out at one loudness."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.library.container import kind_of
from controller.library.domain import Processed
from controller.library.levelling import listen
from controller.library.processing import process
from controller.library.refusal import Reason, SoundRefusedError
from protocol.limits import MEDIA_DURATION_MS_MAX
from tests.controller.library import material

PADDING_MS = {"mp3": 60, "m4a": 60, "aac": 60, "ogg": 60}


def quiet_tell(_stage: str, _seconds: float) -> None:
    """Nobody waits."""


def prepared(source: Path, target: Path) -> Processed:
    return process(source, target, owner="vn/92", tell=quiet_tell)


def refusal(source: Path) -> Reason:
    with pytest.raises(SoundRefusedError) as caught:
        prepared(source, source.with_name("out.opus"))
    return caught.value.reason


@pytest.mark.parametrize(
    ("kind", "rate", "layout"),
    [(kind, 48_000, "mono") for kind in material.KINDS if kind != "ogg"]  # this Vorbis encoder knows stereo only
    + [(kind, 44_100, "stereo") for kind in material.KINDS if kind != "opus"],
)
@pytest.mark.slow
def test_every_kind_comes_out_levelled(tmp_path: Path, kind: str, rate: int, layout: str) -> None:
    source = material.make(tmp_path / f"in.{kind}", kind, rate=rate, layout=layout)
    made = prepared(source, tmp_path / "out.opus")
    assert abs(made.duration_ms - 2000) <= PADDING_MS.get(kind, 1)
    assert_levelled(tmp_path / "out.opus", made)


def assert_levelled(target: Path, made: Processed) -> None:
    heard = listen(target, tell=quiet_tell)
    assert heard.integrated_lufs == pytest.approx(-16, abs=0.5)
    assert heard.true_peak_db <= -1
    assert made.loudness_out_cdb == round(heard.integrated_lufs * 100)
    assert made.peak_out_cdb == round(heard.true_peak_db * 100)
    assert made.duration_ms == heard.duration_ms
    assert made.size_bytes == target.stat().st_size
    assert kind_of(target) == "ogg"


@pytest.mark.parametrize("wave", [material.QUIET, material.CLIPPED])
@pytest.mark.slow
def test_quiet_and_clipped_sound_come_out_alike(tmp_path: Path, wave: str) -> None:
    source = material.make(tmp_path / "in.wav", "wav", wave=wave, seconds=3)
    made = prepared(source, tmp_path / "out.opus")
    assert_levelled(tmp_path / "out.opus", made)


@pytest.mark.slow
def test_peaks_never_pass_the_ceiling(tmp_path: Path) -> None:
    # So few and so high peaks cannot be both at the target and under the ceiling; the ceiling wins.
    source = material.make(tmp_path / "in.wav", "wav", wave=material.PEAKY, seconds=4)
    made = prepared(source, tmp_path / "out.opus")
    assert made.peak_out_cdb <= -100
    assert made.loudness_out_cdb > made.loudness_in_cdb


@pytest.mark.slow
def test_telephone_recording_at_8_khz(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.wav", "wav", rate=8_000)
    assert_levelled(tmp_path / "out.opus", prepared(source, tmp_path / "out.opus"))


def test_waveform_follows_the_sound(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.wav", "wav", wave="0.3*sin(2*PI*440*t)*lt(t,1)", seconds=2)
    waveform = prepared(source, tmp_path / "out.opus").waveform
    assert len(waveform) == 100  # one for each 20 ms; longer sound has at most 800
    assert min(waveform[5:45]) > 10 * max(waveform[60:])
    assert max(waveform) <= 100


def test_same_file_gives_same_bytes_within_a_unit(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.mp3", "mp3", seconds=1)
    for name, owner in (("a", "vn/92/31498"), ("b", "vn/92/31498"), ("c", "vn/92/31528")):
        process(source, tmp_path / name, owner=owner, tell=quiet_tell)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.mp3").touch()
    assert refusal(tmp_path / "in.mp3") is Reason.EMPTY


@pytest.mark.parametrize(
    ("content", "looks_like"),
    [
        ("Kính mời bà con đến họp.\n".encode() * 40, "text"),
        (material.png(), "picture"),
        (b"%PDF-1.7\n" + bytes(500), "document"),
        (b"PK\x03\x04" + bytes(500), "document"),
        (bytes(5000), "unknown"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "text"),
        (b"\xff\xfb", "unknown"),
        (b"ID3\x04\x00\x00\x00\x00\x02\x01" + b"\xff" * 300, "unknown"),
    ],
)
def test_what_is_not_sound_is_named(tmp_path: Path, content: bytes, looks_like: str) -> None:
    source = tmp_path / "song.mp3"
    source.write_bytes(content)
    with pytest.raises(SoundRefusedError) as caught:
        prepared(source, tmp_path / "out.opus")
    assert caught.value.reason is Reason.NOT_AUDIO
    assert caught.value.values["looks_like"] == looks_like


@pytest.mark.parametrize("kind", list(material.KINDS))
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cut_off_file_is_told(tmp_path: Path, kind: str, share: float) -> None:
    source = material.make(tmp_path / "in", kind, seconds=3, layout="stereo" if kind == "ogg" else "mono")
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * share) + 3])  # +3: this AAC has a frame's end at its half
    assert refusal(source) in ({Reason.CUT_OFF, Reason.TOO_SHORT} if share == 0.1 else {Reason.CUT_OFF})


def test_damaged_file_is_told(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.flac", "flac", seconds=3)
    broken = bytearray(source.read_bytes())
    for index in range(9_000, len(broken), 500):
        broken[index] ^= 0x55
    source.write_bytes(broken)
    assert refusal(source) in (Reason.DAMAGED, Reason.CUT_OFF)


def test_silence_is_told(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.wav", "wav", wave=material.SILENT)
    assert refusal(source) is Reason.SILENT
    source = material.make(tmp_path / "hiss.wav", "wav", wave="0.0009*sin(2*PI*440*t)")
    assert refusal(source) is Reason.SILENT


def test_click_is_too_short(tmp_path: Path) -> None:
    assert refusal(material.make(tmp_path / "in.wav", "wav", seconds=0.3)) is Reason.TOO_SHORT


def test_film_is_told(tmp_path: Path) -> None:
    assert refusal(material.make_film(tmp_path / "in.mp4")) is Reason.VIDEO


def test_endless_sound_is_refused_by_its_claim(tmp_path: Path) -> None:
    # One minute over the limit, as a WAV header over a sparse file: nothing of it is decoded.
    source = material.make(tmp_path / "in.wav", "wav", seconds=1, rate=8_000)
    head = bytearray(source.read_bytes()[:44])
    place = bytes(head).find(b"data")
    samples = (MEDIA_DURATION_MS_MAX // 1000 + 60) * 8_000
    whole = source.read_bytes()
    place = whole.find(b"data") + 4
    source.write_bytes(whole[:place] + (samples * 2).to_bytes(4, "little"))
    with source.open("r+b") as file:
        file.truncate(place + 4 + samples * 2)
    assert refusal(source) is Reason.TOO_LONG


def test_recorder_that_lost_power_is_still_heard(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.wav", "wav")
    whole = source.read_bytes()
    place = whole.find(b"data") + 4
    source.write_bytes(whole[:place] + bytes(4) + whole[place + 4 :])
    assert prepared(source, tmp_path / "out.opus").duration_ms == 2000
