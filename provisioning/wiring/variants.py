"""The drawings of the three boards: the way of the sound above, the pins below."""

from __future__ import annotations

from typing import Final

from provisioning.wiring.board import load, parts
from provisioning.wiring.grid import BOX_WIDTH, GAP_X, Stage, Way, draw_grid
from provisioning.wiring.pins import WIDTH, draw_pins
from provisioning.wiring.svg import Kind, Sheet, Words

TITLES: Final = {
    "cheapest": Words("Bản rẻ nhất: dùng lại tăng âm cũ", "Cheapest: computer, USB sound card, one relay"),
    "standard": Words("Bản tiêu chuẩn có bộ giám sát", "Standard with guardian, FM, meter and clock"),
    "station": Words("Đài xã có micrô, nút bấm, khóa khẩn cấp", "Commune station with microphone, buttons and key"),
}
COMPUTERS: Final = {
    "cheapest": Words("Raspberry Pi Zero 2 W", "40-pin header"),
    "standard": Words("Raspberry Pi 3 A+, 3 B+ / 4", "40-pin header"),
    "station": Words("Raspberry Pi 4 / 5", "40-pin header"),
}
_RELAYS: Final = Words("Rơ-le K1 + K2", "relays K1 + K2")


def draw_variant(name: str) -> str:
    """The SVG of one board."""
    title = TITLES[name]
    sheet = Sheet(WIDTH if name == "cheapest" else 40 + 5 * BOX_WIDTH + 4 * GAP_X, label=f"{title.vi}. {title.en}.")
    sheet.words(20, 30, title, size=19, bold=True)
    sheet.text(20, 82, "1. Đường tiếng · the way of the sound", size=13, bold=True, ink="#444444")
    stages, ways = _cheapest_sound() if name == "cheapest" else _guarded_sound(with_microphone=name == "station")
    end = draw_grid(sheet, stages, ways, top=96)
    heading = "2. Dây nối vào máy tính · wires at the computer (GPIO số BCM · số chân / BCM number · header pin)"
    sheet.text(20, end + 38, heading, size=13, bold=True, ink="#444444")
    fitted = tuple(parts(load(name)))
    end = draw_pins(sheet, fitted, top=end + 54, computer=COMPUTERS[name])
    used = {way.kind for way in ways} | {wire.kind for part in fitted for wire in part.wires}
    sheet.legend(20, end + 34, tuple(kind for kind in Kind if kind in used))
    return sheet.render()


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


def _cheapest_sound() -> tuple[list[Stage], list[Way]]:
    card = Stage(
        0,
        0,
        Words("Cạc âm thanh USB", "USB sound card"),
        ("ngõ tai nghe", "biến áp cách ly", "isolating transformer"),
    )
    amplifier = Stage(
        1,
        0,
        Words("Tăng âm 100 V", "100 V amplifier"),
        ("cũ hoặc mới; đầu vào AUX", "old or new; input AUX", "nguồn qua rơ-le", "mains through the relay"),
        "#fdf1e3",
    )
    arresters, horns, out = _line_end(2)
    ways = [
        Way(card, amplifier, Kind.SOUND, Words("dây có lưới", "shielded")),
        Way(amplifier, arresters, Kind.LINE, Words("100 V", "100 V")),
        out,
    ]
    return [card, amplifier, arresters, horns], ways


def _guarded_sound(*, with_microphone: bool) -> tuple[list[Stage], list[Way]]:
    card = Stage(
        0,
        0,
        Words("Cạc âm thanh USB", "USB sound card"),
        ("ngõ tai nghe", "biến áp cách ly", "isolating transformer"),
    )
    relays = Stage(
        1,
        0,
        _RELAYS,
        ("K2 chọn máy tính hay FM", "K2: computer or FM", "K1 mở là im lặng", "K1 fallen: silence"),
        "#e8f0f8",
    )
    amplifier = Stage(
        2,
        0,
        Words("Tăng âm class D 100 V", "class D amplifier, 100 V"),
        ("chân bật/tắt từ bộ giám sát", "enable from the guardian"),
        "#fdf1e3",
    )
    arresters, horns, out = _line_end(3)
    stages = [card, relays, amplifier, arresters, horns]
    ways = [
        Way(card, relays, Kind.SOUND, Words("máy tính", "computer")),
        Way(relays, amplifier, Kind.SOUND, Words("tiếng", "sound")),
        Way(amplifier, arresters, Kind.LINE, Words("100 V", "100 V")),
        out,
    ]
    capture = Stage(
        0, 1, Words("Đầu vào cạc âm thanh", "sound card's input"), ("nghe và kiểm tra FM", "FM, judged and relayed")
    )
    tuner = Stage(
        1,
        1,
        Words("Bộ thu FM Si4703", "FM tuner Si4703"),
        ("87–108 MHz", "ăng-ten ngoài, có chống sét", "outside antenna, arrester"),
    )
    guardian = Stage(
        2,
        1,
        Words("Bộ giám sát RP2040", "guardian, RP2040"),
        (
            "GP6 K1 · GP7 K2 · GP8 EN",
            "GP4 SDA · GP5 SCL · GP9 RST",
            "GP22 ghép đôi / pairing",
            "GP0 TX · GP1 RX: UART",
        ),
        "#e8f0f8",
    )
    meter = Stage(3, 1, Words("Đo đường loa", "line meter"), ("xem hình meter.svg", "see meter.svg"))
    stages += [capture, tuner, guardian, meter]
    ways += [
        Way(tuner, capture, Kind.SOUND, Words("FM", "FM")),
        Way(tuner, relays, Kind.SOUND, Words("FM vào K2", "FM to K2")),
        Way(guardian, tuner, Kind.BUS, Words("I²C, RST", "I²C, RST")),
        Way(guardian, relays, Kind.SIGNAL, Words("GP6, GP7", "GP6, GP7")),
        Way(guardian, amplifier, Kind.SIGNAL, Words("GP8: bật/tắt", "GP8: enable")),
        Way(arresters, meter, Kind.LINE, Words("U, I", "U, I")),
    ]
    if with_microphone:
        notes = ("cạc USB riêng", "own USB card", "cáp cân bằng ≤ 20 m", "balanced cable ≤ 20 m")
        stages.append(Stage(4, 1, Words("Micrô đặt bàn", "desk microphone"), notes))
    return stages, ways
