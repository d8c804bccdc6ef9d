"""`python -m hardware.selftest`; see `hardware.selftest.options`."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

from hardware.board_file import BoardFile, read_board
from hardware.errors import BoardError
from hardware.gpio_line import drop_pins
from hardware.i18n import CATALOGUE, N_, worded
from hardware.i18n import gettext as _
from hardware.selftest.asking import Technician
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Finding, Judged, Result, Trial
from hardware.selftest.fitting import clock_alone
from hardware.selftest.link import Line, read_line
from hardware.selftest.lock import AgentRunningError, alone_on
from hardware.selftest.options import ETC, PARTS, Options, read_options
from hardware.selftest.parts import Parts
from hardware.selftest.quiet import SoundPermission
from hardware.selftest.report import check_writable, report_of, worst_of, write_report
from hardware.selftest.running import StuckWatch, judge
from hardware.selftest.table import Table, wants_colour
from hardware.selftest.trials import TRIALS

DATA: Final = Path("/var/lib/loalang")
COULD_NOT_RUN: Final = 2


class Run:
    """One self-test: what was judged so far, and how it is told."""

    def __init__(self, options: Options, out: TextIO) -> None:
        self._options, self._out = options, out
        self._table = Table(out, coloured=wants_colour(out, os.environ))
        self._judged: list[Judged] = []
        self._trials = tuple(one for one in TRIALS if not options.only or one.name in options.only)
        self._line = self._variant = ""

    async def run(self) -> int:
        """The exit code. Raises BoardError, AgentRunningError."""
        options = self._options
        if options.report is not None:
            _check_report(options.report)
        line = None if options.device is None else _line(options.device)
        data = options.data or (Path(line.data) if line is not None else DATA)
        self._line = line.device if line is not None else ""
        touched = any(one.on_board for one in self._trials)
        if options.board is None and options.parts == PARTS:
            words = _("There is no %(path)s: only what every computer has is tried. Examples: hardware/image/boards")
            print(words % {"path": ETC / "board.json"}, file=sys.stderr)
        with alone_on(data if touched else None):
            board = read_board(options.board) if options.board is not None else BoardFile()
            for remark in board.remarks() if options.board is not None else ():
                print(
                    _("Remark on %(path)s: %(text)s") % {"path": options.board, "text": worded(remark)},
                    file=sys.stderr,
                )
            parts = await _parts(options.parts, board) if touched else clock_alone(board)
            self._variant = parts.variant or board.variant
            async with parts.awake():
                await self._judge(self._bench(parts, data if data.is_dir() else Path.cwd()))
        return self._told()

    def _bench(self, parts: Parts, data: Path) -> Bench:
        options = self._options
        technician = Technician(present=not options.unattended and sys.stdin.isatty(), told=self._out)
        permission = SoundPermission(technician, datetime.now(UTC), yes=options.yes, at_night=options.at_night)
        return Bench(parts, technician, permission, data, device_file=options.device, level_dbfs=options.level_dbfs)

    async def _judge(self, bench: Bench) -> None:
        async for one in judge(self._trials, bench, stuck=StuckWatch(self._leave)):
            self._judged.append(one)
            self._table.show(one)

    def _leave(self, trial: Trial) -> None:
        """The trial's driver hangs where nothing interrupts it: relays fall, the rest is told, the process ends."""
        drop_pins()
        CATALOGUE.use(self._options.language)  # this is a thread of its own
        found = _("Its driver hangs and cannot be stopped; what comes after it was not tried.")
        finding = Finding(Result.FAIL, found, _("Switch the board off and on, then try the others with --only."))
        self._judged.append(Judged(trial, finding, round(trial.within_s * 1000)))
        self._table.show(self._judged[-1])
        os._exit(self._told())

    def _told(self) -> int:
        self._table.close(self._judged)
        if self._options.report is not None:
            made = report_of(self._judged, device=self._line, board=self._variant, made_at=datetime.now(UTC))
            write_report(self._options.report, made)
        return int(worst_of(self._judged) is Result.FAIL)


def _check_report(path: Path) -> None:
    try:
        check_writable(path)
    except (OSError, ValueError) as error:
        words = N_("--json %(path)s cannot be written: %(why)s; nothing was tried")
        raise BoardError(words, path=path, why=getattr(error, "strerror", None) or error) from error


def _line(path: Path) -> Line | None:
    try:
        return read_line(path)
    except BoardError:  # the trial of the link tells it
        return None


async def _parts(name: str, board: BoardFile) -> Parts:
    module, _colon, function = name.partition(":")
    try:
        make: Callable[[BoardFile], Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise BoardError(f"--parts {name}: {error}") from error
    try:
        made = make(board)
        parts = await made if inspect.isawaitable(made) else made
    except Exception as error:  # whatever a wrong name happens to be
        raise BoardError(f"--parts {name}: {type(error).__name__}: {error}") from error
    if not isinstance(parts, Parts):
        raise BoardError(f"--parts {name}: it makes {type(parts).__name__}, not Parts")
    return parts


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 nothing failed, 1 something did, 2 it could not be run."""
    options = read_options(arguments)
    CATALOGUE.use(options.language)
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    try:
        return asyncio.run(Run(options, sys.stdout).run())
    except AgentRunningError as error:
        words = _(
            "The agent is running on this board (%(data)s). Stop it first: sudo systemctl stop loalang-agent — and "
            "start it again afterwards. Beside it these may run: --only power,heat,disk,clock,link"
        )
        print(words % {"data": error}, file=sys.stderr)
    except (BoardError, OSError) as error:
        print(_("The self-test cannot run: %(why)s") % {"why": worded(error)}, file=sys.stderr)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    return COULD_NOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
