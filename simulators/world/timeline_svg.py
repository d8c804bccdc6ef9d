"""A story as a picture: a lane for each device, time to the right, what sounded as bars, what happened as marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from edge.core.output import Rung
from protocol.clock import WallMs
from simulators.world.checkers.checker import Violation
from simulators.world.horn import Heard
from simulators.world.plan import Happening
from simulators.world.story import hour
from simulators.world.trace import Record

_WIDTH: Final = 1100
_LEFT: Final = 110
_LANE: Final = 64
_ROW: Final = 15
_TOP: Final = 56
_TICKS: Final = 8
_COLOURS: Final = {
    Rung.EMERGENCY_MICROPHONE: "#b3261e",
    Rung.EMERGENCY: "#d93025",
    Rung.MICROPHONE: "#e8710a",
    Rung.LIVE_PRIORITY: "#9334e6",
    Rung.PRIORITY: "#1a73e8",
    Rung.ORDINARY: "#12868b",
    Rung.FM_SLOT: "#7a8f2e",
    Rung.FM_FALLBACK: "#b5a642",
}


@dataclass(frozen=True, slots=True)
class _Bar:
    begin: WallMs
    end: WallMs
    name: str
    colour: str


def draw(records: Sequence[Record], title: str) -> str:
    """The picture as SVG; it stands alone and fetches nothing."""
    if not records:
        raise ValueError("nothing happened")
    begin, end = records[0].at, max(records[-1].at, records[0].at + 1)
    devices = sorted({one.who for one in records if isinstance(one.thing, Heard) or one.what.startswith("power.")})
    places = {who: _TOP + row * _LANE for row, who in enumerate(devices)}
    notes = [one for one in records if isinstance(one.thing, Happening | Violation)]
    bottom = _TOP + len(devices) * _LANE + 20
    height = bottom + _ROW * (len(notes) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="22" font-size="16">{escape(title)}</text>',
        *_axis(begin, end, bottom),
    ]
    for who, top in places.items():
        parts += _lane(who, top, [one for one in records if one.who == who], begin, end)
    parts += _marks(notes, begin, end, places, bottom)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(at: int, begin: int, end: int) -> float:
    return round(_LEFT + (at - begin) / (end - begin) * (_WIDTH - _LEFT - 20), 1)


def _axis(begin: int, end: int, bottom: int) -> Iterator[str]:
    for step in range(_TICKS + 1):
        at = begin + (end - begin) * step // _TICKS
        x = _x(at, begin, end)
        yield f'<line x1="{x}" y1="{_TOP - 14}" x2="{x}" y2="{bottom - 16}" stroke="#ddd"/>'
        anchor = "end" if step == _TICKS else "middle"
        yield (
            f'<text x="{x}" y="{_TOP - 18}" text-anchor="{anchor}" font-size="10" fill="#555">'
            f"{hour(WallMs(at))[:-4]}</text>"
        )


def _lane(who: str, top: int, records: list[Record], begin: int, end: int) -> Iterator[str]:
    yield f'<text x="12" y="{top + 20}">{escape(who)}</text>'
    yield f'<rect x="{_LEFT}" y="{top + 2}" width="{_WIDTH - _LEFT - 20}" height="28" fill="#f3f5f7"/>'
    for one in (*_dark(records, end), *_sounds(records, end)):
        x, right = _x(one.begin, begin, end), _x(one.end, begin, end)
        yield (
            f'<rect x="{x}" y="{top + 2}" width="{max(1.5, round(right - x, 1))}" height="28" fill="{one.colour}">'
            f"<title>{escape(one.name)}: {hour(one.begin)} – {hour(one.end)}</title></rect>"
        )
        if right - x > 40:
            yield f'<text x="{x + 4}" y="{top + 20}" fill="#fff" font-size="11">{escape(one.name)}</text>'


def _dark(records: list[Record], end: int) -> Iterator[_Bar]:
    since: WallMs | None = None
    for one in records:
        if one.what == "power.off":
            since = one.at
        elif one.what == "power.on" and since is not None:
            yield _Bar(since, one.at, "no power", "#444")
            since = None
    if since is not None:
        yield _Bar(since, WallMs(end), "no power", "#444")


def _sounds(records: list[Record], end: int) -> Iterator[_Bar]:
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
    output = began.thing.output
    name = type(output).__name__.removesuffix("Output").lower()
    return _Bar(began.at, ended, name, _COLOURS.get(output.rung, "#888"))


def _marks(notes: list[Record], begin: int, end: int, places: dict[str, int], bottom: int) -> Iterator[str]:
    for number, one in enumerate(notes, 1):
        thing, x = one.thing, _x(one.at, begin, end)
        broken = isinstance(thing, Violation)
        colour = "#d93025" if broken else "#333"
        top = places.get(one.who, bottom - 24)
        yield f'<line x1="{x}" y1="{top - 2}" x2="{x}" y2="{top + 34}" stroke="{colour}" stroke-width="1.5"/>'
        yield f'<text x="{x}" y="{top + 46}" text-anchor="middle" font-size="10" fill="{colour}">{number}</text>'
        words = f"{thing.rule}: {thing.words}" if broken else f"{thing.what} {thing.number or ''} {thing.words}"
        y = bottom + _ROW * number
        line = f"{number}. {hour(one.at)}  {one.who}  {words}"[:170]
        yield f'<text x="12" y="{y}" font-size="11" fill="{colour}">{escape(line)}</text>'
