"""What the demo prints before anybody tries it."""

from __future__ import annotations

from datetime import date

import pytest

from protocol.clock import wall_at
from simulators.demo_text import Speaker, tell_quiet

BOTH = Speaker(("vi", "en"))


def test_evening_says_that_now_is_refused_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    tell_quiet(BOTH, wall_at(date(2026, 11, 24), 23 * 3600 + 5 * 60))
    vietnamese, english = capsys.readouterr().out.split("\n")[1:3]
    assert "23:05" in vietnamese and "“phát ngay” sẽ bị từ chối" in vietnamese and "21:00–06:00" in vietnamese
    assert "23:05" in english and "“now” is refused" in english and "21:00–06:00" in english


def test_day_says_nothing_of_quiet_hours(capsys: pytest.CaptureFixture[str]) -> None:
    tell_quiet(BOTH, wall_at(date(2026, 11, 24), 6 * 3600))
    assert capsys.readouterr().out == ""
