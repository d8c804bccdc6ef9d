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

from hardware.i18n import CATALOGUE, LANGUAGES
from hardware.i18n import gettext as _
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
    CATALOGUE.use(_asked_for(arguments))
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
    where = {"folder": ETC}
    parser = argparse.ArgumentParser("python -m hardware.selftest", description=_("Tries every part of this board."))
    words = _("board.json; default: %(folder)s/board.json if it is there") % where
    parser.add_argument("--board", type=Path, help=words)
    words = _("device.json; default: %(folder)s/device.json if it is there") % where
    parser.add_argument("--device", type=Path, help=words)
    words = _("the agent's data directory; default: as device.json says")
    parser.add_argument("--data", type=Path, help=words)
    words = _("for developers: makes the parts, module:function")
    parser.add_argument("--parts", default=os.environ.get("LOALANG_PARTS", PARTS), help=words)
    parser.add_argument("--only", type=_trial_names, default=(), help=_("some of: %(names)s") % {"names": names})
    parser.add_argument("--json", type=Path, metavar="FILE", help=_("write the findings there, too"))
    parser.add_argument("--unattended", action="store_true", help=_("ask nothing"))
    parser.add_argument("--yes", action="store_true", help=_("by day it may sound without being asked"))
    words = _("it may sound between 21:00 and 06:00, too")
    parser.add_argument("--yes-at-night", action="store_true", help=words)
    words = _("loudness of the sweep, %(low)d to %(high)d dBFS; default %(usual)d")
    levels = {"low": LEVEL_DBFS_MIN, "high": LEVEL_DBFS_MAX, "usual": LEVEL_DBFS_DEFAULT}
    parser.add_argument("--level-db", type=_level, default=LEVEL_DBFS_DEFAULT, metavar="DB", help=words % levels)
    _language(parser).choices = LANGUAGES
    return parser


def _language(parser: argparse.ArgumentParser) -> argparse.Action:
    return parser.add_argument("--lang", default=os.environ.get("LOALANG_LANG", LANGUAGES[0]), metavar="vi|en")


def _asked_for(arguments: Sequence[str]) -> str:
    """The language, before the rest is read: help and complaints are in it, too."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _language(first)
    asked = str(first.parse_known_args(arguments)[0].lang)
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _level(text: str) -> int:
    try:
        level = int(text)
    except ValueError:
        level = LEVEL_DBFS_MAX + 1
    if not LEVEL_DBFS_MIN <= level <= LEVEL_DBFS_MAX:
        words = _("a whole number from %(low)d to %(high)d: nobody is to be frightened")
        raise argparse.ArgumentTypeError(words % {"low": LEVEL_DBFS_MIN, "high": LEVEL_DBFS_MAX})
    return level


def _trial_names(text: str) -> tuple[str, ...]:
    names, known = tuple(one.strip() for one in text.split(",")), [one.name for one in TRIALS]
    for name in names:
        if name not in known:
            words = _("there is no trial %(name)s; known are: %(known)s")
            raise argparse.ArgumentTypeError(words % {"name": repr(name), "known": ", ".join(known)})
    return names
