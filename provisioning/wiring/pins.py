"""The computer in the middle, its parts left and right of it, and every wire as one straight line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from provisioning.wiring.board import Part
from provisioning.wiring.svg import Sheet, Words

_ROW: Final = 32
_HEAD: Final = 46
_SPACE: Final = 22
_PART_WIDTH: Final = 250
_WIRE_WIDTH: Final = 120
_COMPUTER_WIDTH: Final = 320
WIDTH: Final = 2 * (_PART_WIDTH + _WIRE_WIDTH) + _COMPUTER_WIDTH + 40


def draw_pins(sheet: Sheet, parts: Sequence[Part], *, top: float, computer: Words) -> float:
    """Draws them below `top`; returns where it ends."""
    sides = [[one for one in parts if one.left], [one for one in parts if not one.left]]
    height = max(sum(map(_height, side)) + _SPACE * len(side) for side in sides) + _HEAD
    x = (sheet.width - _COMPUTER_WIDTH) / 2
    sheet.box(x, top, _COMPUTER_WIDTH, height, fill="#eef4ea", edge="#2f6f4f")
    sheet.words(x + _COMPUTER_WIDTH / 2, top + 20, computer, size=14, bold=True, at="middle")
    for side in sides:
        y = top + _HEAD
        for part in side:
            _part(sheet, part, y, computer_x=x)
            y += _height(part) + _SPACE
    return top + height


def _height(part: Part) -> float:
    return _HEAD + len(part.wires) * _ROW


def _part(sheet: Sheet, part: Part, y: float, *, computer_x: float) -> None:
    x = computer_x - _WIRE_WIDTH - _PART_WIDTH if part.left else computer_x + _COMPUTER_WIDTH + _WIRE_WIDTH
    inner = x + _PART_WIDTH if part.left else x
    outer = computer_x if part.left else computer_x + _COMPUTER_WIDTH
    towards, at = (-1, "end") if part.left else (1, "start")
    sheet.box(x, y, _PART_WIDTH, _height(part))
    sheet.words(x + _PART_WIDTH / 2, y + 18, part.title, size=13.5, bold=True, at="middle")
    for number, wire in enumerate(part.wires):
        row = y + _HEAD + 12 + number * _ROW
        sheet.wire((inner, row), (outer, row), kind=wire.kind)
        sheet.words(inner + towards * 10, row, wire.at_part(), size=12, at=at)
        sheet.text(outer - towards * 10, row + 4, wire.at_computer(), size=12, at="end" if at == "start" else "start")
