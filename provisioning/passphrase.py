"""Passphrases that are random and easy to type: Vietnamese words without marks, and two digits."""

from __future__ import annotations

import secrets
from typing import Final

_WORDS: Final = (
    "ao ban bap bep bien bo boi bong bua buoi cam canh cau cay cho chim chum coi com cua "
    "dao day dau den diep doi dong dua duong gao gio giong gom gung hanh hat hoa ho hong "
    "huong khe khoai kia lang lan lau lua luoi mam man mat may me mia mit mo mua muop "
    "nai nam nang nap nem ngan ngo ngoc nha nhan non nui ong phao phu que quit ram "
    "rau rung ruou sang sao sen song suoi tam tao tau thap thom thuyen tia tieu to "
    "tranh trau tre trung tuoi vai vang vo voi vuon xoai xoi xuan"
)
WORDS: Final = tuple(_WORDS.split())
_COUNT: Final = 5


def make_passphrase() -> str:
    """Five words and two digits, about 40 bits."""
    return "-".join((*(secrets.choice(WORDS) for _ in range(_COUNT)), f"{secrets.randbelow(100):02}"))
