"""Dates, lengths of time, levels and counts as Vietnamese readers write them; English when they chose English."""

from __future__ import annotations

from controller.web.i18n import LANGUAGE, gettext, ngettext
from protocol.clock import WallMs, local_datetime

_DAYS = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


def weekday(day: int) -> str:
    """Name of an ISO weekday, 1 Monday to 7 Sunday."""
    return _DAYS[LANGUAGE.get()][day - 1]


def date_time(wall: int) -> str:
    """`thứ Hai, 23/11/2026 17:00`."""
    return f"{date(wall)} {clock_time(wall)}"


def date(wall: int) -> str:
    """`thứ Hai, 23/11/2026`."""
    moment = local_datetime(WallMs(wall))
    return f"{weekday(moment.isoweekday())}, {moment:%d/%m/%Y}"


def short_date_time(wall: int) -> str:
    """`23/11 17:00`, for tables."""
    return f"{local_datetime(WallMs(wall)):%d/%m %H:%M}"


def clock_time(wall: int) -> str:
    """`17:00`."""
    return f"{local_datetime(WallMs(wall)):%H:%M}"


def clock_time_s(wall: int) -> str:
    """`17:00:05`."""
    return f"{local_datetime(WallMs(wall)):%H:%M:%S}"


def day_time(second: int) -> str:
    """Second of the day as `17:00`, or `17:00:05` when seconds matter."""
    minutes, seconds = divmod(second, 60)
    text = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if seconds else text


def local_date(text: str) -> str:
    """`2026-11-23` as `23/11/2026`."""
    year, month, day = text.split("-")
    return f"{day}/{month}/{year}"


def duration(milliseconds: int) -> str:
    """`1 giờ 20 phút`, `2 phút 05 giây`, `8 giây`: the two largest parts."""
    seconds = max(0, round(milliseconds / 1000))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return _joined(ngettext("%d day", "%d days", days) % days, _hours(hours) if hours else "")
    if hours:
        return _joined(_hours(hours), _minutes(minutes) if minutes else "")
    if minutes:
        return _joined(_minutes(minutes), _seconds(seconds % 60) if seconds % 60 else "")
    return _seconds(seconds)


def _joined(large: str, small: str) -> str:
    return f"{large} {small}".strip()


def _hours(count: int) -> str:
    return ngettext("%d hour", "%d hours", count) % count


def _minutes(count: int) -> str:
    return ngettext("%d minute", "%d minutes", count) % count


def _seconds(count: int) -> str:
    return ngettext("%d second", "%d seconds", count) % count


def play_length(milliseconds: int) -> str:
    """`02:05` or `1:02:05`, beside a play button."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def ago(wall: int, now: int) -> str:
    """How long ago, or `just now`."""
    passed = now - wall
    return gettext("just now") if passed < 10_000 else gettext("%s ago") % duration(passed)


def decibel(hundredths: int, unit: str = "dB") -> str:
    """`−16,0 dB` from hundredths of a decibel."""
    return f"{_decimal(hundredths / 100, 1)} {unit}"


def megabytes(size_bytes: int) -> str:
    """`1,5 MB`, or kB below that."""
    if size_bytes < 1_000_000:
        return f"{_decimal(size_bytes / 1000, 0)} kB"
    return f"{_decimal(size_bytes / 1_000_000, 1)} MB"


def megahertz(khz: int) -> str:
    """`96,0 MHz`."""
    return f"{_decimal(khz / 1000, 1)} MHz"


def count(number: int) -> str:
    """`12.345` in Vietnamese, `12,345` in English."""
    return _decimal(number, 0)


def _decimal(number: float, digits: int) -> str:
    text = f"{number:,.{digits}f}".replace("-", "−")
    return text if LANGUAGE.get() == "en" else text.translate(str.maketrans(",.", ".,"))


FILTERS = {
    "weekday": weekday,
    "date_time": date_time,
    "date": date,
    "short_date_time": short_date_time,
    "clock_time": clock_time,
    "clock_time_s": clock_time_s,
    "day_time": day_time,
    "local_date": local_date,
    "duration": duration,
    "play_length": play_length,
    "ago": ago,
    "decibel": decibel,
    "megabytes": megabytes,
    "megahertz": megahertz,
    "count_of": count,
}
