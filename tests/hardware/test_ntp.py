"""Whether a time server holds the clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.ntp import daemon_is_synchronised, kernel_time


def test_kernel_answers() -> None:
    assert kernel_time().held in (True, False)
    assert kernel_time().error_ms_max >= 0


@pytest.mark.parametrize(
    ("mark", "held"),
    [
        ("990.5", True),
        ("1000\n", True),
        ("900", False),
        ("2000", False),
        ("", False),
        ("nan", False),
        ("9" * 99, False),
    ],
)
def test_watcher_of_the_daemon_is_believed_while_it_is_fresh(tmp_path: Path, mark: str, held: bool) -> None:
    (tmp_path / "held").write_text(mark)
    assert daemon_is_synchronised(tmp_path / "held", up_s=lambda: 1000.0) is held


def test_without_a_watcher_the_daemon_says_nothing(tmp_path: Path) -> None:
    assert not daemon_is_synchronised(tmp_path / "held")
