"""The voice speaks through a real child process; what it cannot say is named."""

from __future__ import annotations

import struct
import subprocess
import sys
import wave
from io import BytesIO
from pathlib import Path

import pytest

from hardware.espeak import Espeak, EspeakError, NoVoiceError, TextError, VoiceLostError, languages, unsayable
from hardware.spoken_text import spoken_form

INVITATION = (
    "Kính mời bà con thôn An Hòa đến nhà văn hóa lúc bảy giờ tối ngày mười hai để họp về việc phòng chống bão số ba."
)


def peak_and_rms(pcm: bytes) -> tuple[int, float]:
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    return max(map(abs, samples)), (sum(sample * sample for sample in samples) / len(samples)) ** 0.5


def test_vietnamese_is_spoken_at_reading_pace() -> None:
    speech = Espeak().speak(INVITATION, "vi")
    peak, rms = peak_and_rms(speech.pcm)
    words_a_minute = len(INVITATION.split()) / (speech.duration_ms / 60_000)
    assert speech.rate == 22_050
    assert 140 <= words_a_minute <= 185
    assert peak > 8_000 and rms > 1_000


def test_english_is_spoken_at_reading_pace() -> None:
    text = "The meeting will take place at the community hall at seven in the evening. Please come on time."
    speech = Espeak().speak(text, "en")
    assert 120 <= len(text.split()) / (speech.duration_ms / 60_000) <= 190


def test_same_text_gives_same_sound() -> None:
    voice = Espeak()
    assert voice.speak("Xin chào bà con", "vi") == voice.speak("Xin chào bà con", "vi")


def test_by_hand_writes_a_wav_file() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hardware.espeak", "vi"], input="Xin chào".encode(), capture_output=True, check=True
    )
    with wave.open(BytesIO(done.stdout)) as file:
        assert file.getframerate() == 22_050 and file.getnframes() > 5_000


def test_khmer_has_no_voice() -> None:
    assert "km" not in languages()
    with pytest.raises(NoVoiceError):
        Espeak().speak("សួស្តី", "km")


@pytest.mark.parametrize("text", ["", "  \n ", "😀😀", "...!", "中文"])
def test_nothing_to_say_is_refused(text: str) -> None:
    with pytest.raises(TextError):
        Espeak().speak(text, "vi")


def test_endless_text_is_refused() -> None:
    with pytest.raises(TextError):
        Espeak().speak("a" * 20_001, "vi")


def test_voice_that_hangs_is_ended() -> None:
    with pytest.raises(VoiceLostError):
        Espeak(time_limit_s=0.001).speak("Xin chào", "vi")


def test_voice_that_crashes_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "libespeak-ng.so"
    broken.write_bytes(b"\x7fELF broken")
    monkeypatch.setattr("espeakng_loader.get_library_path", lambda: str(broken))
    with pytest.raises(EspeakError):
        Espeak().speak("Xin chào", "vi")


def test_unsayable_names_each_character_once() -> None:
    assert unsayable("Xin 😀 chào 😀 中 к\x07", "vi") == ("😀", "中", "к", "\x07")


def test_everyday_vietnamese_is_sayable() -> None:
    text = "Mời “bà con” họp lúc 19h30, 30/4/2026: góp 50.000đ (5%) – nộp tại UBND xã; ĐT: 0912 345 678!\r\n• Lưu ý…"
    assert unsayable(text, "vi") == ()


def test_decomposed_letters_are_sayable() -> None:
    decomposed = "Ho\u0323p ta\u0323i \u0111ie\u0302\u0309m"  # as macOS and some phones write it
    assert unsayable(decomposed, "vi") == ()
    assert spoken_form(decomposed, "vi") == "Họp tại điểm"


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("lúc 19h30", "lúc 19 giờ 30"),
        ("lúc 7h", "lúc 7 giờ"),
        ("ngày 30/4", "ngày 30 tháng 4"),
        ("ngày 2/9/2025", "ngày 2 tháng 9 năm 2025"),
        ("50000đ", "50000 đồng"),
        ("UBND xã", "ủy ban nhân dân xã"),
        ("100 m²", "100  mét vuông "),
    ],
)
def test_signs_are_put_in_words(written: str, spoken: str) -> None:
    assert spoken_form(written, "vi") == spoken
