"""Boxes on a grid and the links between neighbours: the way of the sound, the supply, the line to the horns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from provisioning.wiring.svg import Kind, Sheet, Words

BOX_WIDTH: Final = 196
GAP_X: Final = 92
GAP_Y: Final = 54
_TITLE: Final = 13.5
_NOTE: Final = 11
_NOTE_STEP: Final = 15
_CHARS: Final = 27
_CORNER: Final = 26


@dataclass(frozen=True, slots=True)
class Stage:
    """A box at a place of the grid; each note is a line or two of its own."""

    column: int
    row: int
    title: Words
    notes: tuple[str, ...] = ()
    fill: str = "#ffffff"

    def lines(self) -> list[str]:
        """The notes, wrapped to the box."""
        return [line for note in self.notes for line in textwrap.wrap(note, _CHARS)]

    def height(self) -> float:
        """What it needs."""
        return 48 + len(self.lines()) * _NOTE_STEP + (6 if self.notes else 0)


@dataclass(frozen=True, slots=True)
class Way:
    """What goes from one stage to a neighbour in the same row or column; both arrows where `both`."""

    begin: Stage
    end: Stage
    kind: Kind
    label: Words = Words("")
    arrow: bool = True


def draw_grid(sheet: Sheet, stages: Sequence[Stage], ways: Sequence[Way], *, top: float, left: float = 20) -> float:
    """Draws them below `top`; returns where it ends."""
    rows = max(one.row for one in stages) + 1
    heights = [max((one.height() for one in stages if one.row == row), default=0) for row in range(rows)]
    tops = [top + sum(heights[:row]) + row * GAP_Y for row in range(rows)]
    for stage in stages:
        _stage(sheet, stage, _x(stage, left), tops[stage.row], heights[stage.row])
    for way in ways:
        _way(sheet, way, left=left, tops=tops, heights=heights)
    return tops[-1] + heights[-1]


def _x(stage: Stage, left: float) -> float:
    return left + stage.column * (BOX_WIDTH + GAP_X)


def _stage(sheet: Sheet, stage: Stage, x: float, y: float, height: float) -> None:
    sheet.box(x, y, BOX_WIDTH, height, fill=stage.fill)
    sheet.words(x + BOX_WIDTH / 2, y + 20, stage.title, size=_TITLE, bold=True, at="middle")
    for number, line in enumerate(stage.lines()):
        sheet.text(x + 10, y + 57 + number * _NOTE_STEP, line, size=_NOTE, ink="#333333")


def _elbow(sheet: Sheet, way: Way, *, left: float, tops: list[float], heights: list[float]) -> None:
    """Up into a neighbour's column: through the gap between the rows, entering near the corner that is nearer."""
    assert way.begin.row == way.end.row + 1, "elbows go up by one row"
    right = way.end.column > way.begin.column
    begin_x = _x(way.begin, left) + (BOX_WIDTH - _CORNER if right else _CORNER)
    end_x = _x(way.end, left) + (_CORNER if right else BOX_WIDTH - _CORNER)
    begin_y, end_y = tops[way.begin.row], tops[way.end.row] + heights[way.end.row]
    y = (begin_y + end_y) / 2 + 8
    sheet.wire((begin_x, begin_y), (begin_x, y), (end_x, y), (end_x, end_y), kind=way.kind, arrow=way.arrow)
    sheet.text((begin_x + end_x) / 2, y - 6, way.label.vi, size=10.5, at="middle")


def _way(sheet: Sheet, way: Way, *, left: float, tops: list[float], heights: list[float]) -> None:
    if way.begin.row == way.end.row:
        right = way.end.column > way.begin.column
        y = tops[way.begin.row] + 24
        begin = _x(way.begin, left) + (BOX_WIDTH if right else 0)
        end = _x(way.end, left) + (0 if right else BOX_WIDTH)
        sheet.wire((begin, y), (end, y), kind=way.kind, arrow=way.arrow)
        sheet.text((begin + end) / 2, y - 7, way.label.vi, size=10.5, at="middle")
        if way.label.en and way.label.en != way.label.vi:
            sheet.text((begin + end) / 2, y + 16, way.label.en, size=10, at="middle", ink="#555555")
        return
    if way.begin.column != way.end.column:
        _elbow(sheet, way, left=left, tops=tops, heights=heights)
        return
    x = _x(way.begin, left) + BOX_WIDTH / 2
    down = way.end.row > way.begin.row
    begin = tops[way.begin.row] + (heights[way.begin.row] if down else 0)
    end = tops[way.end.row] + (0 if down else heights[way.end.row])
    sheet.wire((x, begin), (x, end), kind=way.kind, arrow=way.arrow)
    sheet.words(x + 9, (begin + end) / 2 - 2, way.label, size=10.5)
