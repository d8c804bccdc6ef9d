"""The command line of the self-test.

    python -m hardware.selftest                     everything, asking and telling
    python -m hardware.selftest --unattended        what needs nobody; nothing sounds
    python -m hardware.selftest --only disk,link    just these; beside a running agent if they do not touch the board

The exit code is 0 when nothing has failed, 1 when something has, 2 when it could not be run.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hardware.i18n import LANGUAGES
from hardware.selftest.bench import LEVEL_DBFS_DEFAULT, LEVEL_DBFS_MAX, LEVEL_DBFS_MIN
from hardware.selftest.trials import TRIALS

ETC: Final = Path("/etc/loalang")
PARTS: Final = "hardware.selftest.fitting:make_parts"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; `board` and `device` are None where the default file is not there."""

    board: Path | None
    device: Path | None
    data: Path | None
    parts: str
    only: tuple[str, ...]
    report: Path | None
    unattended: bool
    yes: bool
    at_night: bool
    level_dbfs: int
    language: str


def read_options(arguments: Sequence[str]) -> Options:
    """Raises SystemExit, as argparse does."""
    given = _parser().parse_args(arguments)
    return Options(
        board=given.board or _there(ETC / "board.json"),
        device=given.device or _there(ETC / "device.json"),
        data=given.data,
        parts=given.parts,
        only=given.only,
        report=given.json,
        unattended=given.unattended,
        yes=given.yes,
        at_night=given.yes_at_night,
        level_dbfs=given.level_db,
        language=given.lang,
    )


def _there(path: Path) -> Path | None:
    return path if path.exists() else None


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(one.name for one in TRIALS)
    parser = argparse.ArgumentParser("python -m hardware.selftest", description="Tries every part of this board.")
    parser.add_argument("--board", type=Path, help=f"board.json; default: {ETC}/board.json if it is there")
    parser.add_argument("--device", type=Path, help=f"device.json; default: {ETC}/device.json if it is there")
    parser.add_argument("--data", type=Path, help="the agent's data directory; default: as device.json says")
    parser.add_argument(
        "--parts", default=os.environ.get("LOALANG_PARTS", PARTS), help="makes the parts: module:function"
    )
    parser.add_argument("--only", type=_trial_names, default=(), help=f"some of: {names}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings there, too")
    parser.add_argument("--unattended", action="store_true", help="ask nothing")
    parser.add_argument("--yes", action="store_true", help="by day it may sound without being asked")
    parser.add_argument("--yes-at-night", action="store_true", help="it may sound between 21:00 and 06:00, too")
    words = f"of the sweep, {LEVEL_DBFS_MIN} to {LEVEL_DBFS_MAX} dBFS; default {LEVEL_DBFS_DEFAULT}"
    parser.add_argument("--level-db", type=_level, default=LEVEL_DBFS_DEFAULT, help=words)
    parser.add_argument("--lang", choices=LANGUAGES, default=os.environ.get("LOALANG_LANG", LANGUAGES[0]))
    return parser


def _level(text: str) -> int:
    level = int(text)
    if not LEVEL_DBFS_MIN <= level <= LEVEL_DBFS_MAX:
        raise argparse.ArgumentTypeError(f"from {LEVEL_DBFS_MIN} to {LEVEL_DBFS_MAX}: nobody is to be frightened")
    return level


def _trial_names(text: str) -> tuple[str, ...]:
    names, known = tuple(one.strip() for one in text.split(",")), [one.name for one in TRIALS]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"there is no trial {name!r}; known are: {', '.join(known)}")
    return names
