"""What has to be bought for each board, and its price: typical retail in Viet Nam in 2026, as estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from provisioning.wiring.svg import Words

VND_PER_USD: Final = 26_000
_C, _S, _T = "cheapest", "standard", "station"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list; prices in thousands of đồng, low and high."""

    words: Words
    low_kvnd: int
    high_kvnd: int
    variants: tuple[str, ...] = (_C, _S, _T)


ITEMS: Final = (
    Item(Words("Raspberry Pi Zero 2 W, cáp OTG", "Raspberry Pi Zero 2 W, OTG cable"), 450, 700, (_C,)),
    Item(Words("Raspberry Pi 3 A+/3 B+ hoặc 4 (1–2 GB)", "Raspberry Pi 3 A+/3 B+, or 4 (1–2 GB)"), 900, 1_700, (_S,)),
    Item(Words("Raspberry Pi 4 (2 GB) hoặc 5", "Raspberry Pi 4 (2 GB) or 5"), 1_300, 2_200, (_T,)),
    Item(Words("Thẻ nhớ 32 GB loại bền (A1, ghi nhiều)", "microSD 32 GB, A1, high endurance"), 180, 350),
    Item(Words("Cạc âm thanh USB (CM108/CM119)", "USB sound card (CM108/CM119)"), 60, 180),
    Item(Words("Cạc micrô USB có cổng cân bằng", "USB microphone interface, balanced"), 500, 1_500, (_T,)),
    Item(
        Words("Micrô cổ ngỗng hoặc cầm tay, cáp cân bằng", "gooseneck or hand microphone, balanced cable"),
        350,
        1_500,
        (_T,),
    ),
    Item(Words("Biến áp âm thanh cách ly 600:600 Ω", "audio isolating transformer 600:600 Ω"), 40, 150),
    Item(Words("Mạch rơ-le 1 kênh, kích 3,3 V", "relay module, 1 channel, 3.3 V logic"), 20, 60, (_C,)),
    Item(Words("Raspberry Pi Pico hoặc bo RP2040", "Raspberry Pi Pico or RP2040 board"), 90, 160, (_S, _T)),
    Item(Words("2 rơ-le tín hiệu, 2 transistor, đi-ốt", "2 signal relays, 2 transistors, diodes"), 60, 150, (_S, _T)),
    Item(Words("Mạch Si4703 có ngõ ăng-ten", "Si4703 board with antenna terminal"), 120, 350, (_S, _T)),
    Item(
        Words("Ăng-ten FM ngoài trời, 10 m cáp, chống sét", "outdoor FM antenna, 10 m cable, arrester"),
        250,
        700,
        (_S, _T),
    ),
    Item(
        Words("ADS1115, biến áp đo, biến dòng, MCP6002", "ADS1115, sense and current transformers, MCP6002"),
        200,
        450,
        (_S, _T),
    ),
    Item(Words("Bộ dao động 25 Hz, rơ-le PhotoMOS", "25 Hz oscillator, PhotoMOS relay"), 80, 200, (_S, _T)),
    Item(Words("DS3231 và pin", "DS3231 with battery"), 40, 100, (_S, _T)),
    Item(Words("Nút bấm, khóa điện, 3 đèn LED", "buttons, key switch, 3 LEDs"), 150, 400, (_T,)),
    Item(Words("3 đèn LED và đế", "3 LEDs with holders"), 20, 60, (_S,)),
    Item(Words("Nguồn 12 V hoặc 5 V trong hộp", "12 V or 5 V supply in the box"), 120, 300, (_C,)),
    Item(
        Words("Nguồn sạc 13,8 V, mạch hạ áp 5,1 V và 5 V", "13.8 V charger, bucks 5.1 V and 5 V"), 450, 900, (_S, _T)
    ),
    Item(Words("Ắc quy 12 V 12–20 Ah", "battery 12 V, 12–20 Ah"), 500, 1_800, (_S, _T)),
    Item(
        Words("Tăng âm class D 100 V, 120 W (hoặc dùng lại: 0)", "class D amplifier 100 V, 120 W (or reuse: 0)"),
        1_800,
        4_500,
        (_S, _T),
    ),
    Item(Words("Chống sét đường loa: 4 GDT, 2 MOV, đế", "line arresters: 4 GDT, 2 MOV, holders"), 100, 300),
    Item(Words("Chống sét lan truyền loại 2, aptomat chống giật", "SPD type 2 and RCBO"), 500, 1_300),
    Item(Words("Cọc và dây tiếp địa, thanh đẳng thế", "earth rod, wire and bar"), 250, 700),
    Item(Words("Hộp IP65, ốc siết cáp, cầu chì, dây", "IP65 box, glands, fuses, wire"), 300, 800),
)


def totals_kvnd(variant: str) -> tuple[int, int]:
    """Low and high sum of a board."""
    chosen = [one for one in ITEMS if variant in one.variants]
    return sum(one.low_kvnd for one in chosen), sum(one.high_kvnd for one in chosen)


def dollars(kvnd: int) -> int:
    """The same in US dollars, rounded."""
    return round(kvnd * 1000 / VND_PER_USD)
