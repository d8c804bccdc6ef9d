"""Enough of SVG to draw a wiring diagram: boxes, lines, two-language labels. The same input makes the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Final

FONT: Final = "'DejaVu Sans', 'Noto Sans', Arial, sans-serif"
_CHARACTER_EM: Final = 0.60
_BOLD_EM: Final = 0.67
"""Mean widths of DejaVu Sans, the widest of the fonts named: what fits by these fits."""


class Kind(StrEnum):
    """What flows through a wire; the value is its colour."""

    SOUND = "#8f2020"
    LINE = "#7b1f7a"
    SIGNAL = "#1f5a8a"
    BUS = "#22663f"
    CABLE = "#444444"
    POWER = "#b05a10"
    MAINS = "#c01818"
    EARTH = "#4d7a12"


LEGEND: Final = {
    Kind.SOUND: ("tiếng, mức thấp", "sound, line level"),
    Kind.LINE: ("đường loa 100 V", "100 V speaker line"),
    Kind.SIGNAL: ("tín hiệu 3,3 V", "3.3 V signal"),
    Kind.BUS: ("I²C, 3,3 V", "I²C, 3.3 V"),
    Kind.CABLE: ("USB, UART", "USB, UART"),
    Kind.POWER: ("nguồn, GND", "supply, ground"),
    Kind.MAINS: ("điện lưới 230 V", "mains 230 V"),
    Kind.EARTH: ("nối đất", "earth"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """One label in both languages: Vietnamese above, English below and smaller."""

    vi: str
    en: str = ""


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is at most, in pixels."""
    return len(text) * size * (_BOLD_EM if bold else _CHARACTER_EM)


class Sheet:
    """A drawing that grows; coordinates are pixels from the upper left corner."""

    def __init__(self, width: int, *, label: str) -> None:
        self.width, self.height = width, 0
        self._label = label
        self._marks: list[str] = []

    def _add(self, mark: str, bottom: float) -> None:
        self._marks.append(mark)
        self.height = max(self.height, round(bottom))

    def box(
        self, x: float, y: float, width: float, height: float, *, fill: str = "#ffffff", edge: str = "#333333"
    ) -> None:
        """A rounded rectangle."""
        shape = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="7"'
        self._add(f'{shape} fill="{fill}" stroke="{edge}" stroke-width="1.6"/>', y + height)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 13,
        bold: bool = False,
        at: str = "start",
        ink: str = "#111111",
    ) -> None:
        """One line of text; `y` is its base line, `at` is start, middle or end."""
        weight = ' font-weight="bold"' if bold else ""
        place = f'x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{at}" fill="{ink}"{weight}'
        self._add(f"<text {place}>{escape(text, quote=False)}</text>", y + size * 0.3)

    def words(
        self, x: float, y: float, words: Words, *, size: float = 13, bold: bool = False, at: str = "start"
    ) -> None:
        """Both languages, the second below the first."""
        self.text(x, y, words.vi, size=size, bold=bold, at=at)
        if words.en and words.en != words.vi:
            self.text(x, y + size * 1.15, words.en, size=size - 2, at=at, ink="#555555")

    def wire(self, *points: tuple[float, float], kind: Kind, arrow: bool = False) -> None:
        """A line through points."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        tip = f' marker-end="url(#tip-{kind.name.lower()})"' if arrow else ""
        style = f'fill="none" stroke="{kind}" stroke-width="2.4" stroke-linejoin="round"'
        self._add(f'<polyline points="{path}" {style}{tip}/>', max(y for _, y in points))

    def path(self, description: str, *, kind: Kind, bottom: float, filled: bool = False) -> None:
        """A symbol's outline."""
        fill = str(kind) if filled else "#ffffff"
        self._add(f'<path d="{description}" fill="{fill}" stroke="{kind}" stroke-width="2"/>', bottom)

    def dot(self, x: float, y: float, *, kind: Kind) -> None:
        """Where wires are joined."""
        self._add(f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="{kind}"/>', y + 4)

    def legend(self, x: float, y: float, kinds: tuple[Kind, ...]) -> None:
        """The colours that this sheet uses, in one or more rows."""
        for kind in kinds:
            words = LEGEND[kind]
            text = f"{words[0]} · {words[1]}"
            needs = 44 + text_width(text, 11)
            if x + needs > self.width - 20:
                x, y = 20, y + 22
            self.wire((x, y - 4), (x + 26, y - 4), kind=kind)
            self.text(x + 32, y, text, size=11, ink="#444444")
            x += needs

    def render(self) -> str:
        """The file's text."""
        height = self.height + 18
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {height}" '
        head += f'width="{self.width}" height="{height}" font-family="{FONT}" role="img" '
        head += f'aria-label="{escape(self._label)}">'
        tips = "".join(
            f'<marker id="tip-{kind.name.lower()}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" '
            f'markerHeight="6" orient="auto"><path d="M0 0L10 5L0 10z" fill="{kind}"/></marker>'
            for kind in Kind
        )
        paper = f'<rect width="{self.width}" height="{height}" fill="#fcfaf5"/>'
        return "\n".join([head, f"<defs>{tips}</defs>", paper, *self._marks, "</svg>", ""])
