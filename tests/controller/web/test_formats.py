"""Dates, lengths and levels as readers write them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from controller.web.formats import ago, count, date_time, decibel, duration, megabytes, play_length
from controller.web.i18n import LANGUAGE, compile_catalogues
from protocol.clock import wall_at

MONDAY_17 = wall_at(date(2026, 11, 23), 17 * 3600)


@pytest.fixture(autouse=True)
def vietnamese() -> Iterator[None]:
    compile_catalogues()
    token = LANGUAGE.set("vi")
    yield
    LANGUAGE.reset(token)


@pytest.fixture
def english(vietnamese: None) -> Iterator[None]:
    token = LANGUAGE.set("en")
    yield
    LANGUAGE.reset(token)


def test_figures_as_vietnamese_write_them() -> None:
    assert date_time(MONDAY_17) == "thứ Hai, 23/11/2026 17:00"
    assert duration(4_800_000) == "1 giờ 20 phút"
    assert duration(125_000) == "2 phút 5 giây"
    assert decibel(-1600, "LUFS") == "−16,0 LUFS"
    assert count(12345) == "12.345"
    assert megabytes(1_540_000) == "1,5 MB"
    assert ago(0, 60_000) == "1 phút trước"
    assert play_length(125_000) == "02:05"


@pytest.mark.usefixtures("english")
def test_figures_in_english() -> None:
    assert date_time(MONDAY_17) == "Monday, 23/11/2026 17:00"
    assert duration(61_000) == "1 minute 1 second"
    assert count(12345) == "12,345"
