"""Supply and lightning: from the mains, or from the sun, over a battery to the computer and the amplifier."""

from __future__ import annotations

from typing import Final

from provisioning.wiring.grid import BOX_WIDTH, GAP_X, Stage, Way, draw_grid
from provisioning.wiring.svg import Kind, Sheet, Words

_COLUMNS: Final = 5

_BREAKER: Final = Stage(
    0, 0, Words("Aptomat 2 cực 16 A", "2-pole breaker"), ("230 V từ trụ điện", "230 V mains"), "#fdeaea"
)
_SURGE: Final = Stage(
    1,
    0,
    Words("Chống sét lan truyền", "SPD type 2, 275 V, 20 kA"),
    ("1P+N; dây nối ≤ 50 cm", "1P+N; leads ≤ 50 cm", "dây đất về thanh đẳng thế", "its earth to the bar"),
    "#f1f6e6",
)
_CHARGER: Final = Stage(
    2,
    0,
    Words("Nguồn sạc 13,8 V, 10 A", "charger, isolated"),
    ("sau chống giật 10 A, 30 mA", "behind an RCBO 10 A, 30 mA"),
)
_BATTERY: Final = Stage(
    3,
    0,
    Words("Ắc quy 12 V", "battery 12 V, 12–50 Ah"),
    ("LiFePO4 hoặc chì kín", "LiFePO4 or sealed lead", "cầu chì 15 A ngay cực +", "fuse 15 A at the + pole"),
    "#fdf1e3",
)
_FUSES: Final = Stage(
    3,
    1,
    Words("Cầu chì từng nhánh", "a fuse for each branch"),
    ("10 A tăng âm, 3 A máy tính", "1 A bộ giám sát", "amplifier 10, computer 3,", "guardian 1 A"),
)
_AMPLIFIER: Final = Stage(
    4,
    1,
    Words("Tăng âm class D", "class D amplifier, 12/24 V"),
    ("dây ≥ 2,5 mm²", "wire ≥ 2.5 mm²"),
)
_PANEL: Final = Stage(
    1, 1, Words("Pin mặt trời (nếu có)", "solar panel (where used)"), ("100–150 W, cầu chì 10 A", "fuse 10 A")
)
_MPPT: Final = Stage(2, 1, Words("Bộ sạc MPPT", "MPPT charger 10 A"), ("có SPD một chiều", "with a DC SPD"))
_BUCK: Final = Stage(
    3, 2, Words("Hạ áp 12 → 5,1 V", "buck 12 → 5.1 V, 5 A"), ("TVS 18 V ở đầu vào", "TVS 18 V at its input")
)
_COMPUTER: Final = Stage(
    4, 2, Words("Máy tính + cạc USB", "computer + USB cards"), ("đo ≥ 4,9 V tại chân 2", "≥ 4.9 V at pin 2")
)
_BAR: Final = Stage(
    0,
    1,
    Words("Thanh đẳng thế", "earth bar"),
    ("mọi dây đất về đây", "every earth wire ends here", "cọc ≤ 10 Ω", "rod ≤ 10 Ω"),
    "#f1f6e6",
)
_GUARDIAN_BUCK: Final = Stage(2, 2, Words("Hạ áp 5 V thứ hai", "second buck 5 V, 1 A"))
_GUARDIAN: Final = Stage(
    1,
    2,
    Words("Bộ giám sát + rơ-le", "guardian + relays"),
    ("sống khi máy tính chết", "outlives the computer"),
)
_STAGES: Final = [
    _BREAKER,
    _SURGE,
    _CHARGER,
    _BATTERY,
    _FUSES,
    _AMPLIFIER,
    _PANEL,
    _MPPT,
    _BUCK,
    _COMPUTER,
    _BAR,
    _GUARDIAN_BUCK,
    _GUARDIAN,
]
_WAYS: Final = [
    Way(_BREAKER, _SURGE, Kind.MAINS, Words("L N")),
    Way(_SURGE, _CHARGER, Kind.MAINS, Words("L N")),
    Way(_CHARGER, _BATTERY, Kind.POWER, Words("13,8 V", "13.8 V")),
    Way(_BATTERY, _FUSES, Kind.POWER, Words("12 V")),
    Way(_FUSES, _AMPLIFIER, Kind.POWER, Words("12 V")),
    Way(_PANEL, _MPPT, Kind.POWER, Words("18–22 V", "18–22 V")),
    Way(_MPPT, _BATTERY, Kind.POWER, Words("12 V", "12 V")),
    Way(_FUSES, _BUCK, Kind.POWER, Words("12 V")),
    Way(_BUCK, _COMPUTER, Kind.POWER, Words("5,1 V", "5.1 V")),
    Way(_BREAKER, _BAR, Kind.EARTH, Words("PE, cột, loa", "PE, pole, arresters")),
    Way(_GUARDIAN_BUCK, _FUSES, Kind.POWER, Words("12 V"), arrow=False),
    Way(_GUARDIAN_BUCK, _GUARDIAN, Kind.POWER, Words("5 V", "5 V")),
]


def draw_supply() -> str:
    """The SVG."""
    sheet = Sheet(
        40 + _COLUMNS * BOX_WIDTH + (_COLUMNS - 1) * GAP_X, label="Nguồn điện và chống sét. Supply and lightning."
    )
    title = Words("Nguồn điện, ắc quy, cầu chì, chống sét", "supply, battery, fuses, lightning protection")
    sheet.words(20, 30, title, size=19, bold=True)
    end = draw_grid(sheet, _STAGES, _WAYS, top=74)
    sheet.legend(20, end + 36, (Kind.MAINS, Kind.POWER, Kind.EARTH))
    return sheet.render()
