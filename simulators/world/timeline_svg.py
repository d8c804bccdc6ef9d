"""A story as a picture: a lane for each device, time to the right, what sounded as bars, what happened as marks.

A shrunk story is about its last minutes, so the picture begins with what sounded when the first thing happened; below
the lanes the same is told in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from edge.core.output import Output, Rung
from protocol.clock import WallMs
from simulators.world.checkers.checker import Violation
from simulators.world.horn import Heard
from simulators.world.plan import Happening
from simulators.world.story import hour, in_words, sentence
from simulators.world.trace import Record

_WIDTH: Final = 1100
_LEFT: Final = 90
_RIGHT: Final = _WIDTH - 20
_BAR: Final = 34
_LANE: Final = 84
_ROW: Final = 17
_TOP: Final = 70
_MARGIN: Final = 0.05
_SOUND_MS_MAX: Final = 30 * 60_000
_TICKS_MAX: Final = 10
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
_DAY_MS: Final = 86_400_000
_LINES_MAX: Final = 40
_LINE_MAX: Final = 150
_CHARACTER: Final = 6.2
_MARK: Final = 14
_BROKEN: Final = "#c5221f"
_DARK: Final = "#3c4043"
_COLOURS: Final = {
    Rung.EMERGENCY_MICROPHONE: "#8c1d18",
    Rung.EMERGENCY: "#c5221f",
    Rung.MICROPHONE: "#b45309",
    Rung.LIVE_PRIORITY: "#7627bb",
    Rung.PRIORITY: "#1967d2",
    Rung.ORDINARY: "#0b6e72",
    Rung.FM_SLOT: "#5f6f20",
    Rung.FM_FALLBACK: "#7a6a12",
}


@dataclass(frozen=True, slots=True)
class _Bar:
    begin: WallMs
    end: WallMs
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class _Axis:
    begin: int
    end: int

    def x(self, at: int) -> int:
        """Where an instant stands, within the lanes."""
        x = _LEFT + round((at - self.begin) / (self.end - self.begin) * (_RIGHT - _LEFT))
        return min(max(x, _LEFT), _RIGHT)

    def ticks(self) -> range:
        """Round instants."""
        shortest_ms = (self.end - self.begin) / _TICKS_MAX
        days_ms = -(-round(shortest_ms) // _DAY_MS) * _DAY_MS
        step_ms = next((one * 1000 for one in _STEPS_S if one * 1000 >= shortest_ms), days_ms)
        return range(-(-self.begin // step_ms) * step_ms, self.end, step_ms)


def draw(records: Sequence[Record], title: str) -> str:
    """The picture as SVG; it stands alone and fetches nothing."""
    if not records:
        raise ValueError("nothing happened")
    axis = _axis(records)
    devices = sorted({one.who for one in records if isinstance(one.thing, Heard) or one.what.startswith("power.")})
    places = {who: _TOP + row * _LANE for row, who in enumerate(devices)}
    bottom = _TOP + len(devices) * _LANE
    lines = _told(records, axis)
    height = bottom + _ROW * (len(lines) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="14" y="26" font-size="16" font-weight="bold">{escape(title)}</text>',
        *_scale(axis, bottom),
    ]
    for who, top in places.items():
        parts += _lane(who, top, [one for one in records if one.who == who], axis)
    parts += _marks(records, axis, places, bottom)
    parts += _words(lines, bottom)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axis(records: Sequence[Record]) -> _Axis:
    """From what sounded when the first thing happened, or a little before, to a little after the last."""
    first = next((one.at for one in records if isinstance(one.thing, Happening | Violation)), records[0].at)
    running = [
        bar.begin
        for who in {one.who for one in records}
        for bar in _sounds([one for one in records if one.who == who], records[-1].at)
        if bar.begin <= first <= bar.end and first - bar.begin <= _SOUND_MS_MAX
    ]
    begin, end = min([first, *running]), records[-1].at
    margin_ms = max(5000, round((end - begin) * _MARGIN))
    return _Axis(begin - margin_ms, end + 3 * margin_ms)


def _scale(axis: _Axis, bottom: int) -> Iterator[str]:
    yield f'<text x="14" y="{_TOP - 14}" font-size="11" fill="#555">{hour(WallMs(axis.begin))[:5]}</text>'
    for at in axis.ticks():
        x = axis.x(at)
        yield f'<line x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{bottom - 22}" stroke="#dadce0"/>'
        yield (
            f'<text x="{x}" y="{_TOP - 14}" text-anchor="middle" font-size="11" fill="#555">'
            f"{hour(WallMs(at))[6:14]}</text>"
        )


def _lane(who: str, top: int, records: list[Record], axis: _Axis) -> Iterator[str]:
    yield f'<text x="14" y="{top + 22}" font-weight="bold">{escape(who)}</text>'
    yield f'<rect x="{_LEFT}" y="{top}" width="{_RIGHT - _LEFT}" height="{_BAR}" fill="#f1f3f4"/>'
    bars = sorted((*_dark(records, axis.end), *_sounds(records, axis.end)), key=lambda one: one.begin)
    for one in bars:
        if one.end < axis.begin or one.begin > axis.end:
            continue
        x, width = axis.x(one.begin), max(2, axis.x(one.end) - axis.x(one.begin))
        yield (
            f'<rect x="{x}" y="{top}" width="{width}" height="{_BAR}" fill="{one.colour}">'
            f"<title>{escape(one.name)}: {hour(one.begin)} – {hour(one.end)}</title></rect>"
        )
        if width > len(one.name) * _CHARACTER + 8:
            yield f'<text x="{x + 6}" y="{top + 22}" fill="#fff">{escape(one.name)}</text>'


def _dark(records: Iterable[Record], end: int) -> Iterator[_Bar]:
    since: WallMs | None = None
    for one in records:
        if one.what == "power.off":
            since = one.at
        elif one.what == "power.on" and since is not None:
            yield _Bar(since, one.at, "no power", _DARK)
            since = None
    if since is not None:
        yield _Bar(since, WallMs(end), "no power", _DARK)


def _sounds(records: Iterable[Record], end: int) -> Iterator[_Bar]:
    open_: dict[str, Record] = {}
    for one in records:
        if not isinstance(one.thing, Heard):
            continue
        key = one.thing.output.key
        if one.thing.reason is None:
            open_[key] = one
        elif key in open_:
            yield _bar(open_.pop(key), one.at)
    for left in open_.values():
        yield _bar(left, WallMs(end))


def _bar(began: Record, ended: WallMs) -> _Bar:
    output: Output = began.thing.output
    return _Bar(began.at, ended, in_words(output), _COLOURS.get(output.rung, "#5f6368"))


def _marks(records: Sequence[Record], axis: _Axis, places: dict[str, int], bottom: int) -> Iterator[str]:
    """Numbers that would touch stand below one another."""
    right: dict[str, tuple[int, int]] = {}
    for number, one in enumerate(_notes(records, axis), 1):
        x, colour = axis.x(one.at), _BROKEN if isinstance(one.thing, Violation) else _DARK
        top = places.get(one.who, bottom - _LANE)
        last_x, row = right.get(one.who, (-_MARK, 0))
        row = (row + 1) % 3 if x - last_x < _MARK else 0
        right[one.who] = x, row
        for y in (top - 6, top + _BAR):
            yield f'<line x1="{x}" y1="{y}" x2="{x}" y2="{y + 6}" stroke="{colour}" stroke-width="2"/>'
        yield (
            f'<text x="{x}" y="{top + _BAR + 17 + 12 * row}" text-anchor="middle" font-weight="bold" '
            f'fill="{colour}">{number}</text>'
        )


def _notes(records: Sequence[Record], axis: _Axis) -> list[Record]:
    return [one for one in records if isinstance(one.thing, Happening | Violation) and one.at >= axis.begin]


def _told(records: Sequence[Record], axis: _Axis) -> list[tuple[str, Record]]:
    """What stands below the lanes; of a long story only what has a mark."""
    notes = _notes(records, axis)
    shown = [one for one in records if one.at >= axis.begin]
    if len(shown) > _LINES_MAX:
        shown = notes
    numbers = {id(one): str(number) for number, one in enumerate(notes, 1)}
    return [(numbers.get(id(one), ""), one) for one in shown]


def _words(lines: Iterable[tuple[str, Record]], bottom: int) -> Iterator[str]:
    for row, (number, one) in enumerate(lines):
        y = bottom + _ROW * row + 8
        colour = _BROKEN if isinstance(one.thing, Violation) else _DARK if number else "#5f6368"
        weight = ' font-weight="bold"' if number else ""
        yield f'<text x="14" y="{y}" fill="{colour}"{weight}>{number}</text>'
        tenth = hour(WallMs(round(one.at, -2)))[6:16]
        said = f"{tenth}  {one.who}  {sentence(one)}"[:_LINE_MAX]
        yield f'<text x="36" y="{y}" fill="{colour}"{weight}>{escape(said)}</text>'
