"""The way of the sound on each board: from the card, past the guardian's relays, to the horns."""

from __future__ import annotations

from typing import Final

from provisioning.wiring.grid import Stage, Way
from provisioning.wiring.svg import Kind, Words

_BLUE: Final = "#e8f0f8"
_SAND: Final = "#fdf1e3"
_CARD: Final = Stage(
    0, 0, Words("Cạc âm thanh USB", "USB sound card"), ("ngõ tai nghe", "biến áp cách ly", "isolating transformer")
)
_OLD_AMPLIFIER: Final = Stage(
    1,
    0,
    Words("Tăng âm 100 V", "100 V amplifier"),
    ("cũ hoặc mới; đầu vào AUX", "old or new; input AUX", "nguồn qua rơ-le", "mains through the relay"),
    _SAND,
)
_RELAYS: Final = Stage(
    1,
    0,
    Words("Rơ-le K1 + K2", "relays K1 + K2"),
    ("K2 chọn máy tính hay FM", "K2: computer or FM", "K1 nhả là im lặng", "K1 fallen: silence"),
    _BLUE,
)
_AMPLIFIER: Final = Stage(
    2,
    0,
    Words("Tăng âm class D 100 V", "class D amplifier, 100 V"),
    ("chân bật/tắt từ bộ giám sát", "enable from the guardian"),
    _SAND,
)
_CAPTURE: Final = Stage(
    0, 1, Words("Đầu vào cạc âm thanh", "sound card's input"), ("nghe và kiểm tra FM", "FM, judged and relayed")
)
_TUNER: Final = Stage(
    1,
    1,
    Words("Bộ thu FM Si4703", "FM tuner Si4703"),
    ("87–108 MHz", "ăng-ten ngoài, có chống sét", "outside antenna, arrester"),
)
_GUARDIAN: Final = Stage(
    2,
    1,
    Words("Bộ giám sát RP2040", "guardian, RP2040"),
    ("GP6 K1 · GP7 K2 · GP8 EN", "GP4 SDA · GP5 SCL · GP9 RST", "GP22 ghép đôi / pairing", "GP0 TX · GP1 RX: UART"),
    _BLUE,
)
_METER: Final = Stage(3, 1, Words("Đo đường loa", "line meter"), ("xem hình meter.svg", "see meter.svg"))
_MICROPHONE: Final = Stage(
    4,
    1,
    Words("Micrô đặt bàn", "desk microphone"),
    ("cạc USB riêng", "own USB card", "cáp cân bằng ≤ 20 m", "balanced cable ≤ 20 m"),
)

SoundPath = tuple[list[Stage], list[Way]]


def sound_path(variant: str) -> SoundPath:
    """The boxes, and what goes between them."""
    if variant == "cheapest":
        return _cheapest()
    stages, ways = _guarded()
    return ([*stages, _MICROPHONE] if variant == "station" else stages), ways


def _line_end(column: int) -> tuple[Stage, Stage, Way]:
    arresters = Stage(
        column,
        0,
        Words("Chống sét đường loa", "line arresters"),
        ("GDT mỗi dây xuống đất", "GDT each wire to earth", "MOV giữa hai dây", "MOV between the wires"),
        "#f1f6e6",
    )
    horns = Stage(
        column + 1, 0, Words("Loa nén 100 V", "100 V horns"), ("tổng công suất ≤ 80 %", "sum of taps ≤ 80 %")
    )
    return arresters, horns, Way(arresters, horns, Kind.LINE, Words("2 dây", "2 wires"))


def _cheapest() -> SoundPath:
    arresters, horns, out = _line_end(2)
    ways = [
        Way(_CARD, _OLD_AMPLIFIER, Kind.SOUND, Words("dây có lưới", "shielded")),
        Way(_OLD_AMPLIFIER, arresters, Kind.LINE, Words("100 V")),
        out,
    ]
    return [_CARD, _OLD_AMPLIFIER, arresters, horns], ways


def _guarded() -> SoundPath:
    arresters, horns, out = _line_end(3)
    ways = [
        Way(_CARD, _RELAYS, Kind.SOUND, Words("máy tính", "computer")),
        Way(_RELAYS, _AMPLIFIER, Kind.SOUND, Words("tiếng", "sound")),
        Way(_AMPLIFIER, arresters, Kind.LINE, Words("100 V")),
        out,
        Way(_TUNER, _CAPTURE, Kind.SOUND, Words("FM")),
        Way(_TUNER, _RELAYS, Kind.SOUND, Words("FM vào K2", "FM to K2")),
        Way(_GUARDIAN, _TUNER, Kind.BUS, Words("I²C, RST")),
        Way(_GUARDIAN, _RELAYS, Kind.SIGNAL, Words("GP6, GP7")),
        Way(_GUARDIAN, _AMPLIFIER, Kind.SIGNAL, Words("GP8: bật/tắt", "GP8: enable")),
        Way(arresters, _METER, Kind.LINE, Words("U, I")),
    ]
    return [_CARD, _RELAYS, _AMPLIFIER, arresters, horns, _CAPTURE, _TUNER, _GUARDIAN, _METER], ways
