"""Groups of RDS from a text, and what they tell, for people: the command behind `python -m hardware.rds`.

One group a line, as RDS Spy or redsea write it; see `hardware.rds.parse_group`. What became known is printed with the
number of its line; at the end, all that is known. Lines that are no group are named on standard error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain, repeat
from typing import BinaryIO, Final

from hardware.i18n import CATALOGUE, LANGUAGES, N_
from hardware.i18n import gettext as _
from hardware.rds import ClockTime, Decoder, Group, parse_group

_LINE_BYTES_MAX: Final = 1000
_NAMED_MAX: Final = 20
"""So many bad lines are named one by one; the rest are counted."""
_REASONS: Final = (
    N_("longer than 200 characters"),
    N_("four blocks are needed"),
    N_("a block is four hexadecimal digits or ----"),
    N_("error levels are four digits from 0 to 3"),
)
"""For the catalogue: what `parse_group` says, which runs under MicroPython, too."""
_LINE: Final = "A201 0408 E0CD 564F"


def lines_of(file: BinaryIO) -> Iterator[str]:
    """The lines of a file, each cut at a length no group has; what is no text shows as such."""
    while piece := file.readline(_LINE_BYTES_MAX):
        while len(piece) == _LINE_BYTES_MAX and not piece.endswith(b"\n"):
            rest = file.readline(_LINE_BYTES_MAX)
            if not rest or rest.endswith(b"\n"):
                break
        yield piece.decode("utf-8", errors="replace").strip()


def groups_of(lines: Iterable[str]) -> Iterator[tuple[int, Group | str]]:
    """The number of each line that says something, and its group or why it is none; `#` and `<` begin remarks."""
    for number, line in enumerate(lines, 1):
        if not line or line[0] in "#<":
            continue
        try:
            yield number, parse_group(line)
        except ValueError as error:
            yield number, _(str(error))


def listing(lines: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """What to print, and whether it is a complaint."""
    decoder, groups, bad = Decoder(), 0, 0
    for number, group in groups_of(lines):
        if isinstance(group, str):
            bad += 1
            if bad <= _NAMED_MAX:
                yield True, _("line %(line)d is no group: %(why)s") % {"line": number, "why": group}
            continue
        groups += 1
        for name in decoder.feed(group):
            yield False, f"{number:>6}  {told(decoder, name)}"
    if bad > _NAMED_MAX:
        yield True, _("%(count)d lines were no groups") % {"count": bad}
    yield False, _("%(groups)d groups read. What is known:") % {"groups": groups}
    for name in ("pi", "ps", "pty", "tp", "ta", "rt", "ct"):
        yield False, f"        {told(decoder, name)}"


def told(decoder: Decoder, name: str) -> str:
    """One thing that a station told, in a line."""
    value = getattr(decoder, name)
    return f"{_title(name)}: {_('not known') if value is None else _in_words(value)}"


def _title(name: str) -> str:
    return {
        "pi": _("identity (PI)"),
        "ps": _("name (PS)"),
        "pty": _("kind of programme (PTY)"),
        "tp": _("carries traffic announcements (TP)"),
        "ta": _("traffic announcement now (TA)"),
        "rt": _("text (RT)"),
        "ct": _("time (CT)"),
    }[name]


def _in_words(value: str | int | ClockTime) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, ClockTime):
        zone = timezone(timedelta(minutes=value.offset_min))
        local = datetime.fromtimestamp(value.utc_s, UTC).astimezone(zone)
        return f"{local:%Y-%m-%d %H:%M} ({local:%z})"
    return str(value)


def main(arguments: Sequence[str] | None = None, file: BinaryIO | None = None) -> int:
    """Reads standard input to its end; the exit code is 1 when some lines were no groups, 2 when nothing came."""
    _parser(arguments).parse_args(arguments)
    source = file or sys.stdin.buffer
    lines, blank = lines_of(source), 0
    for first in lines:
        if first:
            break
        blank += 1
    else:
        print(_("Nothing came on standard input."), _example(), sep="\n", file=sys.stderr)
        return 2
    bad = False
    for complaint, line in listing(chain(repeat("", blank), [first], lines)):
        bad = bad or complaint
        print(line, file=sys.stderr if complaint else sys.stdout)
    return int(bad)


def _parser(arguments: Sequence[str] | None) -> argparse.ArgumentParser:
    """In the language that is asked for, which is looked for before the rest."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--lang", default=LANGUAGES[0])
    CATALOGUE.use(first.parse_known_args(arguments)[0].lang)
    words = _("Reads groups of RDS from standard input, one a line, and says what they tell.")
    parser = argparse.ArgumentParser(prog="python -m hardware.rds", description=words, epilog=_example())
    parser.add_argument("--lang", choices=LANGUAGES, default=LANGUAGES[0])
    return parser


def _example() -> str:
    return _("A line is four blocks of four digits: %(line)s") % {"line": f"echo {_LINE} | python -m hardware.rds"}
