"""Titles, search and text to be spoken, without a file or a socket."""

from __future__ import annotations

import dataclasses

import pytest

from controller.library.domain import (
    Media,
    Origin,
    Wanted,
    check_speech,
    folded,
    matches,
    suggested_title,
    tidy_source_name,
    tidy_title,
)
from controller.library.refusal import Reason, SoundRefusedError
from controller.library.wording import explained
from protocol.units import UnitPath

UNIT = UnitPath("vn/92/31528")
SOUND = Media(
    digest="a" * 64,
    unit=UNIT,
    title="Họp dân ấp An Ninh",
    origin=Origin.SPEECH,
    text="Đúng bảy giờ tối nay, mời bà con đến nhà văn hóa.",
    language="vi",
    size_bytes=1000,
    duration_ms=4000,
    loudness_in_cdb=-2300,
    loudness_out_cdb=-1600,
    peak_out_cdb=-150,
    waveform=tuple(range(100)) * 8,
    source_name=None,
    created_by=1,
    created_ms=0,
)


def refusal(text: str, language: str = "vi") -> SoundRefusedError:
    with pytest.raises(SoundRefusedError) as caught:
        check_speech(text, language)
    return caught.value


def test_everyday_text_is_spoken() -> None:
    check_speech("Kính mời bà con họp lúc 19h30 ngày 30/4.\n– Lưu ý: mang theo áo mưa!", "vi")


@pytest.mark.parametrize("text", ["", " \n\t ", "...", "– ( )"])
def test_empty_text_is_refused(text: str) -> None:
    assert refusal(text).reason is Reason.TEXT_EMPTY


def test_long_text_is_refused_with_its_length() -> None:
    refused = refusal("a" * 5001)
    assert refused.reason is Reason.TEXT_TOO_LONG
    assert refused.values == {"chars": 5001, "chars_max": 5000}


def test_unsayable_characters_are_named() -> None:
    refused = refusal("Chào 😀 bà con 中 \x07")
    assert refused.reason is Reason.TEXT_UNSAYABLE
    assert refused.values["characters"] == "“😀”, “中”, U+0007"


def test_a_page_of_chinese_names_only_some() -> None:
    named = str(refusal("".join(chr(0x4E00 + index) for index in range(300))).values["characters"])
    assert named.endswith("…") and len(named) < 100


def test_khmer_has_no_voice_yet() -> None:
    assert refusal("សួស្តី", "km").reason is Reason.NO_VOICE


@pytest.mark.parametrize(
    ("wanted", "title"),
    [
        (Wanted(UNIT, "  Họp\n dân ", 1), "Họp dân"),
        (Wanted(UNIT, "", 1, source_name="hop_dan-2026.final.mp3"), "hop dan-2026.final"),
        (Wanted(UNIT, "", 1, source_name=".mp3"), ".mp3"),
        (Wanted(UNIT, "", 1, text="Mời họp. Đúng giờ.", language="vi"), "Mời họp"),
        (
            Wanted(UNIT, "", 1, text="một hai ba " * 20, language="vi"),
            "một hai ba một hai ba một hai ba một hai ba một hai ba một hai ba một…",
        ),
    ],
)
def test_title_is_suggested(wanted: Wanted, title: str) -> None:
    assert suggested_title(wanted) == title


def test_titles_fit_documents() -> None:
    assert len(tidy_title("dài " * 200)) <= 200
    assert tidy_title("a\x00b\u202ec") == "a b c"
    assert tidy_source_name("C:\\Users\\Lan\\hop.mp3") == "hop.mp3"


def test_search_needs_no_accents() -> None:
    assert folded("Đường  ĐẾN trường") == "duong den truong"
    assert matches(SOUND, "hop DAN")
    assert matches(SOUND, "dung bay gio")
    assert matches(SOUND, "")
    assert not matches(SOUND, "hop bao")


def test_outline_keeps_the_peaks() -> None:
    assert len(SOUND.outline(120)) == 120
    assert max(SOUND.outline(7)) == 99
    assert SOUND.outline(800) == SOUND.waveform
    assert dataclasses.replace(SOUND, waveform=()).outline(10) == ()


def test_ref_is_what_is_signed() -> None:
    assert SOUND.ref().duration_ms == 4000


@pytest.mark.parametrize("reason", list(Reason))
def test_every_refusal_has_a_sentence(reason: Reason) -> None:
    values: dict[str, str | int] = {
        "looks_like": "picture",
        "megabytes": 64,
        "hours_max": 4,
        "seconds": 3,
        "chars": 6000,
        "chars_max": 5000,
        "characters": "“😀”",
    }
    told = explained(SoundRefusedError(reason, **values)).told()
    assert told.endswith((".", "!")) and "%(" not in told
