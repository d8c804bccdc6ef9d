"""Random passwords that are easy to read out and to type: Vietnamese words without marks, and digits."""

from __future__ import annotations

import secrets

_LINES = (
    "bap ben bong bup buoi cam canh cay chim chuoi cua dat den dua duong ech gao ghe gio giong hanh hat hoa hue "
    "kenh khoai la lua luc mai mat me mia moi mua mun nam nang ngo nhan nuoc ong rau ray rung sam sao sen song "
    "suong tau thom tinh tom tre trau trang tram vang ve vuon xoai xuan xuong"
)
_WORDS = tuple(_LINES.split())


def easy_password(words: int = 3) -> str:
    """Such as `sen-tram-lua-4821`: 31 bits with three words, behind a limit of five tries in a quarter of an hour."""
    chosen = [secrets.choice(_WORDS) for _ in range(words)]
    return "-".join((*chosen, f"{secrets.randbelow(10_000):04}"))
