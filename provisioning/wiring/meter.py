"""The meter at the speaker line, its pilot and its leakage check, as `hardware.line_meter` and `line_check` want."""

from __future__ import annotations

from typing import Final

from provisioning.wiring.grid import BOX_WIDTH, GAP_X, Stage, Way, draw_grid
from provisioning.wiring.svg import Kind, Sheet, Words

_COLUMNS: Final = 5
_HOLD: Final = Words("Lọc giữ 100 ms", "hold, 100 ms")
_HOLD_PARTS: Final = ("10 kΩ nối tiếp", "10 µF xuống GND", "10 kΩ, 10 µF to GND")
_RECTIFIER: Final = Words("Chỉnh lưu chính xác", "precision rectifier")


def draw_meter() -> str:
    """The SVG."""
    sheet = Sheet(40 + _COLUMNS * BOX_WIDTH + (_COLUMNS - 1) * GAP_X, label="Mạch đo đường loa. The line meter.")
    title = Words("Mạch đo đường loa, tín hiệu dò, đo rò đất", "line meter, pilot tone and leakage to earth")
    sheet.words(20, 30, title, size=19, bold=True)
    converter = Stage(
        4,
        1,
        Words("ADS1115, địa chỉ 0x48", "ADC at address 0x48"),
        ("VDD 3,3 V · ADDR → GND", "A0 điện áp / voltage", "A1 dòng điện / current", "A2 rò đất / leakage"),
        "#e8f0f8",
    )
    computer = Stage(
        4, 2, Words("Máy tính, I²C 1", "computer, I²C 1"), ("SDA chân 3, SCL chân 5", "header pins 3, 5"), "#eef4ea"
    )
    rows = (_voltage(), _current(), _leakage(), _pilot())
    ways = [way for stages, kinds in rows for way in _joined(stages, kinds)]
    ways += [
        Way(converter, rows[0][0][-1], Kind.SIGNAL, Words("A0"), arrow=False),
        Way(rows[1][0][-1], converter, Kind.SIGNAL, Words("A1")),
        Way(rows[2][0][-1], converter, Kind.SIGNAL, Words("A2")),
        Way(converter, computer, Kind.BUS, Words("I²C", "3.3 V")),
    ]
    stages = [stage for row, _ in rows for stage in row] + [converter, computer]
    end = draw_grid(sheet, stages, ways, top=74)
    sheet.legend(20, end + 36, (Kind.SOUND, Kind.LINE, Kind.SIGNAL, Kind.BUS))
    return sheet.render()


_Row = tuple[list[Stage], tuple[Kind, ...]]


def _joined(stages: list[Stage], kinds: tuple[Kind, ...]) -> list[Way]:
    return [Way(begin, end, kind) for begin, end, kind in zip(stages[:-1], stages[1:], kinds, strict=True)]


def _voltage() -> _Row:
    return [
        Stage(
            0,
            0,
            Words("Hai dây đường loa", "both wires of the line"),
            ("cầu chì 0,1 A mỗi dây", "fuse 0.1 A each"),
            "#f7ecf7",
        ),
        Stage(1, 0, Words("Biến áp đo 100 V : 1 V", "sense transformer"), ("cách ly 2 kV", "isolation 2 kV")),
        Stage(2, 0, _RECTIFIER, ("MCP6002, 3,3 V, ×3", "100 V → 3,0 V")),
        Stage(3, 0, _HOLD, _HOLD_PARTS),
    ], (Kind.LINE, Kind.SOUND, Kind.SIGNAL)


def _current() -> _Row:
    return [
        Stage(
            0,
            1,
            Words("Một dây đường loa", "one wire of the line"),
            ("luồn qua lỗ biến dòng", "through the CT's hole"),
            "#f7ecf7",
        ),
        Stage(1, 1, Words("Biến dòng 1 : 200", "current transformer"), ("tải 120 Ω", "burden 120 Ω", "1 A → 0,6 V")),
        Stage(2, 1, _RECTIFIER, ("MCP6002, 3,3 V, ×5", "1 A → 3,0 V")),
        Stage(3, 1, _HOLD, _HOLD_PARTS),
    ], (Kind.LINE, Kind.SOUND, Kind.SIGNAL)


def _leakage() -> _Row:
    return [
        Stage(
            0,
            2,
            Words("Đường loa (thả nổi)", "the line, floating"),
            ("không nối đất cực COM", "COM is not earthed"),
            "#f7ecf7",
        ),
        Stage(
            1,
            2,
            Words("470 kΩ lên 3,3 V", "pull-up 470 kΩ"),
            ("rẽ từ đường loa lên 3,3 V", "a branch, not in series"),
        ),
        Stage(2, 2, Words("1 MΩ nối tiếp", "1 MΩ in series"), ("hai điện trở 500 kΩ, 350 V", "two of 500 kΩ, 350 V")),
        Stage(3, 2, Words("Kẹp BAT54S, 100 nF", "clamp and filter"), ("về 3,3 V và GND", "to 3.3 V and GND")),
    ], (Kind.LINE, Kind.SIGNAL, Kind.SIGNAL)


def _pilot() -> _Row:
    return [
        Stage(0, 3, Words("Dao động 25 Hz", "oscillator, 25 Hz"), ("sóng sin 6 V hiệu dụng", "sine, 6 V RMS")),
        Stage(
            1,
            3,
            Words("100 Ω, 2 W", "series resistor"),
            ("bộ dao động cách ly với GND", "its supply is isolated"),
        ),
        Stage(
            2, 3, Words("Rơ-le PhotoMOS", "PhotoMOS relay, 400 V"), ("GPIO24, chân 18, qua 330 Ω", "through 330 Ω")
        ),
        Stage(
            3,
            3,
            Words("Hai dây đường loa", "both wires of the line"),
            ("chỉ khi tăng âm tắt", "only while it is off"),
            "#f7ecf7",
        ),
    ], (Kind.SOUND, Kind.SOUND, Kind.LINE)
