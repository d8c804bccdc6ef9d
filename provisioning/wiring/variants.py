"""The drawings of the three boards: the way of the sound above, the pins below."""

from __future__ import annotations

from typing import Final

from provisioning.wiring.board import load, parts
from provisioning.wiring.grid import BOX_WIDTH, GAP_X, draw_grid
from provisioning.wiring.pins import WIDTH, draw_pins
from provisioning.wiring.sound_path import sound_path
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


def draw_variant(name: str) -> str:
    """The SVG of one board."""
    title = TITLES[name]
    sheet = Sheet(WIDTH if name == "cheapest" else 40 + 5 * BOX_WIDTH + 4 * GAP_X, label=f"{title.vi}. {title.en}.")
    sheet.words(20, 30, title, size=19, bold=True)
    sheet.text(20, 82, "1. Đường tiếng · the way of the sound", size=13, bold=True, ink="#444444")
    stages, ways = sound_path(name)
    end = draw_grid(sheet, stages, ways, top=96)
    heading = "2. Dây nối vào máy tính · wires at the computer (GPIO số BCM · số chân / BCM number · header pin)"
    sheet.text(20, end + 38, heading, size=13, bold=True, ink="#444444")
    fitted = tuple(parts(load(name)))
    end = draw_pins(sheet, fitted, top=end + 54, computer=COMPUTERS[name])
    used = {way.kind for way in ways} | {wire.kind for part in fitted for wire in part.wires}
    sheet.legend(20, end + 34, tuple(kind for kind in Kind if kind in used))
    return sheet.render()
