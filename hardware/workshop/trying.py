"""The self-test from the menu: a process of its own, so that a driver which hangs takes only that one with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from hardware.i18n import CATALOGUE
from hardware.i18n import gettext as _
from hardware.selftest.asking import means_yes
from hardware.selftest.quiet import is_night
from hardware.selftest.trials import TRIALS
from hardware.workshop.place import Place
from hardware.workshop.terminal import Terminal

AUDIBLE: Final = ("relay", "sound")
"""Trials that ask before they are heard."""
_WITHIN_S: Final = 25 * 60
"""More than all trials may take together, less than the half hour after which the workshop closes."""
_STOPS_S: Final = 10
_WORST: Final = 2
Run = Callable[[Sequence[str]], int]


def run_selftest(arguments: Sequence[str]) -> int:
    """Its exit code. Ctrl-C reaches it as well as us, and means only the trial."""
    command = [sys.executable, "-s", "-P", "-m", "hardware.workshop.selftest", *arguments]
    process = subprocess.Popen(command)  # noqa: S603
    left_s = _WITHIN_S
    while True:
        try:
            return process.wait(left_s)
        except KeyboardInterrupt:
            left_s = _STOPS_S
        except subprocess.TimeoutExpired:
            process.kill()


def try_parts(terminal: Terminal, place: Place, names: Sequence[str], run: Run) -> None:
    """Some trials, or all where no name is given; the findings are kept for `save`. Raises BoardError."""
    arguments = ["--lang", CATALOGUE.language, "--json", str(place.report)]
    if names:
        arguments += ["--only", ",".join(names)]
    sounds = not names or bool(set(names) & set(AUDIBLE))
    if sounds and is_night(datetime.now(UTC)):
        question = _("It is between 21:00 and 06:00. May the horns sound all the same? [y/N]")
        if means_yes(terminal.ask(question)):
            arguments.append("--yes-at-night")
    for name in ("board", "device"):
        path = place.etc / f"{name}.json"
        if path.exists():
            arguments += [f"--{name}", str(path)]
    with place.alone():
        code = run(arguments)
    place.touch()
    if code not in range(_WORST + 1):
        terminal.say(_("The self-test was broken off (%(code)d).") % {"code": code})


def silent_names() -> list[str]:
    """All trials that nobody hears."""
    return [one.name for one in TRIALS if one.name not in AUDIBLE]


def choose_part(terminal: Terminal) -> str:
    """The name of a trial; empty when none was chosen."""
    for number, one in enumerate(TRIALS, 1):
        terminal.say(f" {number:2}  {_(one.title)}")
    answer = terminal.ask(_("Which one? Enter alone goes back:"))
    if not answer:
        return ""
    if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(TRIALS):
        return TRIALS[int(answer) - 1].name
    terminal.say(_("There is no such number."))
    return ""
