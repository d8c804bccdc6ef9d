"""Groups of RDS from a text, and what they tell, for people: the command behind `python -m hardware.rds`.

One group a line, as RDS Spy or redsea write it; see `hardware.rds.parse_group`. What became known is printed with the
number of its line; at the end, all that is known. Lines that are no group are named on standard error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import BinaryIO, Final

from hardware.i18n import CATALOGUE
from hardware.i18n import gettext as _
from hardware.rds import ClockTime, Decoder, Group, parse_group

_LINE_BYTES_MAX: Final = 1000
_NAMED_MAX: Final = 20
"""So many bad lines are named one by one; the rest are counted."""


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
            yield number, str(error)


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


def main() -> None:
    """Reads standard input to its end."""
    parser = argparse.ArgumentParser(prog="python -m hardware.rds", description=_("Reads groups of RDS."))
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    CATALOGUE.use(parser.parse_args().lang)
    bad = False
    for complaint, line in listing(lines_of(sys.stdin.buffer)):
        bad = bad or complaint
        print(line, file=sys.stderr if complaint else sys.stdout)
    raise SystemExit(1 if bad else 0)
