"""The findings as a coloured table on a terminal, plain text elsewhere: a few lines of ANSI, no library."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Mapping
from typing import Final, TextIO

from hardware.i18n import gettext as _
from hardware.selftest.finding import Judged, Result

_COLOURS: Final[Mapping[Result, str]] = {
    Result.OK: "32",
    Result.WARN: "33",
    Result.FAIL: "1;31",
    Result.ABSENT: "90",
}
_TITLE_CHARS: Final = 22
_WORD_CHARS: Final = 11
_COLUMNS_MIN: Final = 60
_COLUMNS_MAX: Final = 120


def word_for(result: Result) -> str:
    """The result for people."""
    return {
        Result.OK: _("good"),
        Result.WARN: _("look at it"),
        Result.FAIL: _("BROKEN"),
        Result.ABSENT: _("not fitted"),
    }[result]


class Table:
    """Prints each finding as soon as it is known.

    Args:
        coloured: colours are wanted; decide with `wants_colour`.
    """

    def __init__(self, out: TextIO, *, coloured: bool, columns: int = 0) -> None:
        self._out, self._coloured = out, coloured
        wide = columns or shutil.get_terminal_size((100, 24)).columns
        self._columns = min(max(wide, _COLUMNS_MIN), _COLUMNS_MAX)

    def show(self, judged: Judged) -> None:
        """One finding: result, part, what was found; below it what to do and what is lost."""
        result, finding = judged.finding.result, judged.finding
        word = self._in_colour(f"{word_for(result):<{_WORD_CHARS}}", _COLOURS[result])
        title = f"{_(judged.trial.title):<{_TITLE_CHARS}}"
        lines = self._wrapped(finding.found)
        print(f"{word} {title} {lines[0]}", file=self._out)
        self._below(lines[1:])
        self._below(self._rows(finding.rows))
        if finding.advice:
            self._below(self._wrapped(f"→ {finding.advice}"))
        if result in (Result.FAIL, Result.ABSENT):
            self._below(self._wrapped(_("Without it: %(lost)s") % {"lost": _(judged.trial.lost)}))
        self._out.flush()

    def close(self, all_judged: Iterable[Judged]) -> None:
        """The last line: how many of which."""
        results = [one.finding.result for one in all_judged]
        counted = ", ".join(f"{word_for(one)}: {results.count(one)}" for one in Result if one in results)
        worst = Result.FAIL if Result.FAIL in results else Result.WARN if Result.WARN in results else Result.OK
        print(self._in_colour(counted or _("nothing was tried"), _COLOURS[worst]), file=self._out, flush=True)

    def _below(self, lines: Iterable[str]) -> None:
        for line in lines:
            print(" " * (_WORD_CHARS + _TITLE_CHARS + 2) + line, file=self._out)

    def _wrapped(self, text: str) -> list[str]:
        return textwrap.wrap(text, self._columns - _WORD_CHARS - _TITLE_CHARS - 2) or [""]

    def _rows(self, rows: tuple[tuple[str, ...], ...]) -> Iterable[str]:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return ("  ".join(f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows)

    def _in_colour(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured else text


def wants_colour(out: TextIO, environment: Mapping[str, str]) -> bool:
    """On a terminal, unless NO_COLOR is set (no-color.org) or the terminal is a dumb one."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
