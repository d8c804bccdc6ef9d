"""The tables of the handbook, in either language, and their places between markers in its pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from provisioning.wiring.board import VARIANTS, Part, Wire, load, parts
from provisioning.wiring.purchase import ITEMS, dollars, totals_kvnd
from provisioning.wiring.svg import Kind, Words

_MARKED: Final = re.compile(r"(<!-- table (\w+)(?: (\w+))? -->\n).*?(<!-- end -->)", re.DOTALL)
_SHORT: Final = {
    "cheapest": Words("rẻ nhất", "cheapest"),
    "standard": Words("tiêu chuẩn", "standard"),
    "station": Words("đài xã", "station"),
}


def filled(page: str, *, vietnamese: bool) -> str:
    """A page with every table between its markers made anew."""

    def made(found: re.Match[str]) -> str:
        return f"{found[1]}{_table(found[2], found[3], _in(vietnamese))}{found[4]}"

    return _MARKED.sub(made, page)


_Say = Callable[[Words], str]


def _in(vietnamese: bool) -> _Say:
    return lambda words: words.vi if vietnamese else (words.en or words.vi)


def _table(kind: str, variant: str, say: _Say) -> str:
    if kind == "pins":
        return _pins(variant, say)
    assert kind == "prices", "there are two kinds of tables"
    return _prices(say)


def _rows(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(heading)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _pins(variant: str, say: _Say) -> str:
    heading = [
        Words("bộ phận", "part"),
        Words("cực của bộ phận", "its terminal"),
        Words("chân trên máy tính", "header pin"),
        Words("tín hiệu", "signal"),
    ]
    rows = [_row(part, wire, say) for part in parts(load(variant)) for wire in part.wires]
    return _rows(map(say, heading), rows)


def _row(part: Part, wire: Wire, say: _Say) -> list[str]:
    signal = f"GPIO{wire.bcm}" + (f" ({wire.signal})" if wire.signal else "") if wire.bcm is not None else wire.signal
    if wire.kind is Kind.CABLE and not wire.pin:
        return [say(part.title), "USB", "USB", f"`{wire.terminal.en}`"]
    return [say(part.title), say(wire.at_part()), str(wire.pin), signal]


def _prices(say: _Say) -> str:
    heading = [say(Words("món", "item")), *(say(_SHORT[one]) for one in VARIANTS)]
    rows = [
        [say(one.words), *(_range(one.low_kvnd, one.high_kvnd) if name in one.variants else "" for name in VARIANTS)]
        for one in ITEMS
    ]
    sums = [totals_kvnd(name) for name in VARIANTS]
    rows.append(
        [say(Words("**cộng, nghìn đồng**", "**sum, thousand đồng**")), *(f"**{_range(*one)}**" for one in sums)]
    )
    rows.append(
        [
            say(Words("**cộng, đô la Mỹ**", "**sum, US dollars**")),
            *(f"**{dollars(low)}–{dollars(high)}**" for low, high in sums),
        ]
    )
    return _rows(heading, rows)


def _range(low_kvnd: int, high_kvnd: int) -> str:
    return f"{_grouped(low_kvnd)}–{_grouped(high_kvnd)}"


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
