"""The workshop at a real terminal: letters, Ctrl-C, a closed line, and the self-test of the mock board behind it."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from ctypes.util import find_library
from pathlib import Path
from typing import Final

import pytest

from hardware.i18n import read_catalogue
from hardware.workshop.letters import _ALPHABET, glyphs, printable, unmarked, writing
from simulators.mock_board import mock_file
from tests.component import need

CATALOGUE_FILE: Final = Path(__file__).parents[2] / "hardware/locale/vi/LC_MESSAGES/hardware.po"
MENU: Final = "Number, then Enter:"


def test_vietnamese_is_read_without_its_marks() -> None:
    assert (
        unmarked("Đang phát: ĐƯỜNG, ưỡn, Nguyễn “ơ” … → 4,7 kΩ")
        == 'Dang phat: DUONG, uon, Nguyen "o" ... -> 4,7 kOhm'
    )
    assert unmarked("có") == "co" and unmarked("人\x07") == "?\x07"


@pytest.mark.parametrize("shown", [None, _ALPHABET, frozenset("aàeé")])
def test_no_sentence_of_the_catalogue_loses_a_letter(shown: frozenset[str] | None) -> None:
    """With every letter, with the console's Vietnamese font (which has all but Ω), and with its own."""
    write = writing(shown)
    for one, text in read_catalogue(CATALOGUE_FILE.read_text()).items():
        for words in (one, text):
            assert write(words).count("?") == words.count("?"), words
            assert len(write(words)) >= len(words) - words.count("°")


def test_font_that_lacks_one_letter_shows_no_marks_at_all() -> None:
    assert writing(_ALPHABET)("Thử loa … ≥") == "Thử loa ... ?"
    assert writing(_ALPHABET - {"ử"})("Thử loà") == "Thu loa"


def test_only_a_console_has_a_font_of_its_own() -> None:
    ours, theirs = os.openpty()
    assert glyphs(theirs) is None
    os.close(ours)
    os.close(theirs)


def test_what_steers_a_terminal_is_not_printable() -> None:
    assert printable("a\x1b[2Jb\u202ec\r\nd\x9b1m") == "a[2Jbcd1m"


class Desk:
    """A terminal with the workshop on it."""

    def __init__(self, tmp_path: Path, *more: str) -> None:
        self.etc, self.run = tmp_path / "etc", tmp_path / "run"
        for one in (self.etc, self.run):
            one.mkdir()
        command = [sys.executable, "-m", "hardware.workshop", "--lang", "en", "--etc", str(self.etc)]
        command += ["--run", str(self.run), "--errands", str(tmp_path / "errands"), *more]
        parts = {"LOALANG_PARTS": "simulators.mock_selftest:make_parts", "PYTHONWARNINGS": "ignore"}
        self.process, self.line = pty.fork()
        if self.process == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests in the background has it ignored
            os.execve(sys.executable, command, os.environ | parts | {"TERM": "vt220"})
        self.told = ""

    def type(self, keys: str) -> None:
        os.write(self.line, keys.encode())

    def until(self, words: str, *, within_s: float = 30.0) -> str:
        """What was said up to these words, which are then past."""
        ends = time.monotonic() + within_s
        while words not in self.told:
            left = ends - time.monotonic()
            assert left > 0 and select.select([self.line], [], [], left)[0], f"no {words!r} in {self.told[-2000:]!r}"
            self.told += os.read(self.line, 65_536).decode(errors="replace")
        said, _, self.told = self.told.partition(words)
        return said

    def ended(self) -> int:
        """Its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def close(self) -> None:
        os.close(self.line)
        try:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.mark.slow
def test_keys_that_end_programs_do_not_end_the_menu(desk: Desk) -> None:
    desk.until(MENU)
    for keys in ("\x03", "12\x03", "\x03"):
        desk.type(keys)
        desk.until(MENU)
    desk.type("\x1a\x1c\x13\x11\x1b[24~x\n")
    desk.until(MENU)
    desk.type("9" * 3000 + "\n")
    desk.until(MENU)
    desk.type("6\n")
    assert "not enrolled" in desk.until(MENU)


@pytest.mark.slow
def test_end_of_input_ends_the_menu_which_systemd_starts_again(desk: Desk) -> None:
    desk.until(MENU)
    desk.type("\x04")
    assert desk.ended() == 1


@pytest.mark.slow
def test_line_that_is_hung_up_ends_the_menu(desk: Desk) -> None:
    desk.until(MENU)
    os.close(desk.line)
    desk.line = os.open("/dev/null", os.O_RDWR)
    assert desk.ended() in (1, -signal.SIGHUP)


@pytest.mark.slow
def test_serial_line_without_a_width_has_eighty_columns(desk: Desk) -> None:
    desk.until(MENU)
    assert termios.tcgetwinsize(desk.line) == (0, 0)
    desk.type("3\n")
    desk.until("Which one?")
    desk.type("5\n")
    said = desk.until(MENU)
    assert "Link" in said
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    assert max(map(len, plain.splitlines())) <= 80


@pytest.mark.slow
def test_mock_board_is_tried_from_the_menu(desk: Desk) -> None:
    need(find_library("asound") is not None, "libasound")
    desk.until(MENU)
    desk.type("3\n")
    desk.until("Which one?")
    desk.type("8\n")
    desk.until("are they dark now?", within_s=60)
    desk.type("co\n")
    assert "All were seen" in desk.until(MENU)
    report = json.loads((desk.run / "selftest.json").read_text())
    assert [one["name"] for one in report["trials"]] == ["lamps"] and report["result"] == "ok"


@pytest.mark.slow
def test_control_c_breaks_a_trial_off_and_not_the_menu(desk: Desk) -> None:
    need(find_library("asound") is not None, "libasound")
    desk.until(MENU)
    desk.type("3\n")
    desk.until("Which one?")
    desk.type("8\n")
    desk.until("are they dark now?", within_s=60)
    desk.type("\x03")
    desk.until(MENU)
    desk.type("6\n")
    assert "not enrolled" in desk.until(MENU)


def test_menu_does_not_open_on_the_guardians_line(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    ours, theirs = os.openpty()
    board = {"sound": {"card": mock_file().sound.card}, "guardian": {"port": os.ttyname(theirs)}}
    (etc / "board.json").write_text(json.dumps(board))
    command = [sys.executable, "-m", "hardware.workshop", "--etc", str(etc), "--run", str(tmp_path)]
    done = subprocess.run(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 3, done.stderr
    assert not select.select([ours], [], [], 0)[0], "the guardian was told something"
    os.close(ours)
    os.close(theirs)
