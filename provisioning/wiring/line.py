"""The 100 V line: horns in parallel with their taps, arresters at both ends, and the sum that must fit."""

from __future__ import annotations

from typing import Final

from provisioning.wiring.svg import Kind, Sheet, Words

_TAPS_W: Final = (15, 15, 30, 30)
_AMPLIFIER_W: Final = 120
_WIDTH: Final = 1120
_HOT, _COLD = 150, 196


def draw_line() -> str:
    """The SVG."""
    sheet = Sheet(_WIDTH, label="Đường loa 100 V: các loa mắc song song. The 100 V line: horns in parallel.")
    title = Words(
        "Đường loa 100 V: loa mắc song song, cộng công suất", "100 V line: horns in parallel, add their taps"
    )
    sheet.words(20, 30, title, size=19, bold=True)
    _amplifier(sheet)
    sheet.wire((200, _HOT), (1080, _HOT), kind=Kind.LINE)
    sheet.wire((200, _COLD), (1080, _COLD), kind=Kind.LINE)
    _fuses(sheet)
    _arresters(sheet, 310, Words("chống sét đầu đường", "arresters at the box"))
    _arresters(sheet, 1040, Words("cuối đường dài", "at the far end"))
    for number, tap_w in enumerate(_TAPS_W):
        _horn(sheet, 440 + number * 140, tap_w)
    _sum(sheet)
    sheet.legend(20, sheet.height + 34, (Kind.LINE, Kind.EARTH))
    return sheet.render()


def _amplifier(sheet: Sheet) -> None:
    sheet.box(30, 120, 170, 106, fill="#fdf1e3")
    sheet.words(115, 150, Words("Tăng âm", f"amplifier {_AMPLIFIER_W} W"), size=15, bold=True, at="middle")
    sheet.text(206, _HOT - 14, "100 V", size=11, ink="#7b1f7a")
    sheet.text(206, _COLD + 24, "COM", size=11, ink="#7b1f7a")


def _fuses(sheet: Sheet) -> None:
    """Between amplifier and arresters, so that an arrester which stays shorted blows them."""
    for y in (_HOT, _COLD):
        sheet.box(212, y - 9, 48, 18, edge="#7b1f7a")
        sheet.text(236, y + 4, "3,15 A", size=10.5, at="middle")
    sheet.words(232, 100, Words("cầu chì chậm", "slow fuses"), size=11, at="middle")


def _arresters(sheet: Sheet, x: float, words: Words) -> None:
    sheet.dot(x, _HOT, kind=Kind.LINE)
    sheet.dot(x, _COLD, kind=Kind.LINE)
    sheet.wire((x, _HOT), (x, _COLD), kind=Kind.LINE)
    sheet.box(x - 21, _HOT + 13, 42, 20, fill="#f1f6e6", edge="#4d7a12")
    sheet.text(x, _HOT + 27, "MOV", size=10.5, at="middle")
    for step, y in ((-34, _HOT), (34, _COLD)):
        sheet.dot(x + step, y, kind=Kind.LINE)
        sheet.wire((x + step, y), (x + step, 276), kind=Kind.EARTH)
        sheet.box(x + step - 21, 226, 42, 20, fill="#f1f6e6", edge="#4d7a12")
        sheet.text(x + step, 240, "GDT", size=10.5, at="middle")
    sheet.wire((x - 34, 276), (x + 34, 276), kind=Kind.EARTH)
    sheet.wire((x, 276), (x, 292), kind=Kind.EARTH)
    for number, half in enumerate((18, 11, 4)):
        sheet.wire((x - half, 292 + number * 6), (x + half, 292 + number * 6), kind=Kind.EARTH)
    sheet.words(x, 326, words, size=12, bold=True, at="middle")


def _horn(sheet: Sheet, x: float, tap_w: int) -> None:
    sheet.dot(x, _HOT, kind=Kind.LINE)
    sheet.wire((x, _HOT), (x, 250), kind=Kind.LINE)
    sheet.dot(x + 44, _COLD, kind=Kind.LINE)
    sheet.wire((x + 44, _COLD), (x + 44, 250), kind=Kind.LINE)
    sheet.box(x - 12, 250, 68, 34, fill="#ffffff", edge="#7b1f7a")
    sheet.text(x + 22, 271, f"{tap_w} W", size=13, bold=True, at="middle")
    sheet.path(f"M{x + 8} 284 L{x + 36} 284 L{x + 66} 322 L{x - 22} 322 Z", kind=Kind.LINE, bottom=322)
    ohm = f"{100 * 100 / tap_w:.0f} Ω"
    sheet.words(x + 22, 342, Words(f"nấc {tap_w} W = {ohm}", f"tap {tap_w} W"), size=11.5, at="middle")


def _sum(sheet: Sheet) -> None:
    total_w = sum(_TAPS_W)
    ohm = 100 * 100 / total_w
    sheet.box(30, 384, 1060, 74, fill="#eef4ea", edge="#2f6f4f")
    terms = " + ".join(str(one) for one in _TAPS_W)
    rule = f"{terms} = {total_w} W ≤ 80 % × {_AMPLIFIER_W} W = {round(_AMPLIFIER_W * 0.8)} W"
    sheet.text(50, 410, f"Quy tắc / rule:  {rule}", size=15, bold=True)
    sheet.text(
        50,
        434,
        f"Đo khi đã tháo khỏi tăng âm: tổng trở ở 1 kHz ≈ 100² / {total_w} = {ohm:.0f} Ω, không được thấp hơn.",
    )
    english = (
        f"With the amplifier disconnected: impedance at 1 kHz about {ohm:.0f} Ω, never lower. Ohmmeters show less."
    )
    sheet.text(50, 451, english, size=11.5, ink="#555555")
