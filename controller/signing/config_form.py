"""The rules of a unit's loudspeakers as a form: read into the fields of an audible configuration, and shown again."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from multidict import MultiMapping

from controller.library.domain import Media
from controller.signing.config_numbers import NUMBERS, Number
from controller.web.formats import day_time
from controller.web.i18n import N_, gettext
from protocol.audible_config import DEFAULT_QUIET_HOURS, AudibleConfig, Fallback, Station, Window
from protocol.clock import WallMs
from protocol.limits import MESSAGES_MAX, STATIONS_MAX, TEXT_CHARS_MAX, WINDOWS_MAX
from protocol.schedule import check_frequency, check_pi
from protocol.units import UnitPath

_TIME: Final = re.compile(r"(\d{1,2})[:hg.](\d{2})")
_FREQUENCY: Final = re.compile(r"(\d{2,3})(?:[.,](\d))?")
DAY_SETS: Final = (
    ("", N_("every day")),
    ("1,2,3,4,5", N_("Monday to Friday")),
    ("6,7", N_("Saturday and Sunday")),
)
WRONG_TIME: Final = N_("Write hours and minutes for both ends, such as 21:00 and 06:00; they must differ.")
WRONG_STATION: Final = N_("A station needs a frequency of 54 to 68 or 87 to 108 MHz and a name.")
WRONG_PI: Final = N_("An RDS identity is four of 0 to 9 and A to F, or empty.")
WRONG_MESSAGE: Final = N_("This sound is no longer in the library. Please choose another one.")
WRONG_NUMBER: Final = N_("Write a whole number between %(low)d and %(high)d.")


CHOICES: Final = {"fallback": tuple(Fallback), "on_computer_dead": tuple(Fallback)}


@dataclass(frozen=True, slots=True)
class WindowText:
    """A row for a part of the day, as typed."""

    begin: str = ""
    end: str = ""
    days: str = ""


@dataclass(frozen=True, slots=True)
class StationText:
    """A row for a station, as typed."""

    frequency: str = ""
    name: str = ""
    pi: str = ""


@dataclass(frozen=True, slots=True)
class MessageText:
    """A row for a message button, as chosen; `digest` is empty for none."""

    digest: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class ConfigText:
    """The whole form, as typed."""

    quiet_hours: tuple[WindowText, ...]
    fm_windows: tuple[WindowText, ...]
    stations: tuple[StationText, ...]
    numbers: Mapping[str, str]
    messages: tuple[MessageText, ...] = (MessageText(),) * MESSAGES_MAX
    fallback: str = Fallback.SILENCE.value
    on_computer_dead: str = Fallback.SILENCE.value
    microphone_in_quiet_hours: bool = True


def text_of(config: AudibleConfig) -> ConfigText:
    """The form of a configuration, with empty rows for more."""
    return ConfigText(
        quiet_hours=(*(_window_text(one) for one in config.quiet_hours), WindowText()),
        fm_windows=(*(_window_text(one) for one in config.fm_windows), WindowText()),
        stations=(*(_station_text(one) for one in config.fm_stations), StationText()),
        numbers={one.name: str(getattr(config, one.name) // one.factor) for one in NUMBERS},
        messages=_message_texts(config),
        fallback=config.fallback.value,
        on_computer_dead=config.on_computer_dead.value,
        microphone_in_quiet_hours=config.microphone_in_quiet_hours,
    )


def _message_texts(config: AudibleConfig) -> tuple[MessageText, ...]:
    held = {one.number: MessageText(one.media.digest, one.title) for one in config.messages}
    return tuple(held.get(number, MessageText()) for number in range(1, MESSAGES_MAX + 1))


def _window_text(window: Window) -> WindowText:
    return WindowText(
        day_time(window.begin_s), day_time(window.end_s % 86_400), ",".join(str(day) for day in window.days)
    )


def _station_text(station: Station) -> StationText:
    khz = station.frequency_khz
    return StationText(f"{khz // 1000}.{khz % 1000 // 100}", station.name, station.pi or "")


def text_of_form(form: MultiMapping[Any]) -> ConfigText:
    """What was typed."""

    def rows(prefix: str, *names: str) -> list[tuple[str, ...]]:
        columns = [[str(value).strip() for value in form.getall(f"{prefix}_{name}", ())] for name in names]
        return list(zip(*columns, strict=False))

    return ConfigText(
        quiet_hours=tuple(WindowText(*row) for row in rows("quiet", "begin", "end", "days")[:WINDOWS_MAX]),
        fm_windows=tuple(WindowText(*row) for row in rows("fm", "begin", "end", "days")[:WINDOWS_MAX]),
        stations=tuple(StationText(*row) for row in rows("station", "frequency", "name", "pi")[:STATIONS_MAX]),
        numbers={one.name: str(form.get(one.name, "")).strip() for one in NUMBERS},
        messages=_chosen([MessageText(*row) for row in rows("message", "digest", "title")]),
        fallback=str(form.get("fallback", "")),
        on_computer_dead=str(form.get("on_computer_dead", "")),
        microphone_in_quiet_hours=form.get("microphone_in_quiet_hours") == "1",
    )


def _chosen(rows: list[MessageText]) -> tuple[MessageText, ...]:
    """A row for each button, whatever was sent."""
    return tuple([*rows, *(MessageText(),) * MESSAGES_MAX][:MESSAGES_MAX])


def read_config(text: ConfigText, media: Collection[Media] = ()) -> tuple[dict[str, Any], dict[str, str]]:
    """The document's fields, and a sentence for each field of the form that is wrong.

    Args:
        media: sounds that a message button may play.
    """
    wrong: dict[str, str] = {}
    fields: dict[str, Any] = {
        "quiet_hours": _windows("quiet", text.quiet_hours, wrong),
        "fm_windows": _windows("fm", text.fm_windows, wrong),
        "fm_stations": _stations(text.stations, wrong),
        "microphone_in_quiet_hours": text.microphone_in_quiet_hours,
        "messages": _messages(text.messages, {one.digest: one for one in media}, wrong),
    }
    for name in CHOICES:
        value = getattr(text, name)
        fields[name] = value if value in {one.value for one in Fallback} else Fallback.SILENCE.value
    for number in NUMBERS:
        fields[number.name] = _number(number, text.numbers[number.name], wrong)
    return fields, wrong


def _messages(
    rows: tuple[MessageText, ...], media: Mapping[str, Media], wrong: dict[str, str]
) -> list[dict[str, Any]]:
    made = []
    for number, row in enumerate(rows, start=1):
        if not row.digest:
            continue
        found = media.get(row.digest)
        if found is None:
            wrong[f"message_{number}"] = gettext(WRONG_MESSAGE)
            continue
        sound = {"digest": found.digest, "size_bytes": found.size_bytes, "duration_ms": found.duration_ms}
        title = " ".join(row.title.split()) or found.title
        made.append({"number": number, "title": title[:TEXT_CHARS_MAX], "media": sound})
    return made


def _windows(prefix: str, rows: tuple[WindowText, ...], wrong: dict[str, str]) -> list[dict[str, Any]]:
    made = []
    for index, row in enumerate(rows):
        if not row.begin and not row.end:
            continue
        begin, end = _second(row.begin), _second(row.end)
        if begin is None or end is None or begin == end:
            wrong[f"{prefix}_{index}"] = gettext(WRONG_TIME)
            continue
        days = [int(day) for day in row.days.split(",") if day in {"1", "2", "3", "4", "5", "6", "7"}]
        made.append({"begin_s": begin, "end_s": end, "days": days})
    return made


def _second(text: str) -> int | None:
    found = _TIME.fullmatch(text)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return int(found[1]) * 3600 + int(found[2]) * 60


def _stations(rows: tuple[StationText, ...], wrong: dict[str, str]) -> list[dict[str, Any]]:
    made = []
    for index, row in enumerate(rows):
        if not (row.frequency or row.name or row.pi):
            continue
        try:
            check_frequency(_khz(row.frequency))
            pi = row.pi.upper() or None
        except ValueError:
            wrong[f"station_{index}"] = gettext(WRONG_STATION)
            continue
        try:
            check_pi(pi)
        except ValueError:
            wrong[f"station_{index}"] = gettext(WRONG_PI)
            continue
        if not row.name:
            wrong[f"station_{index}"] = gettext(WRONG_STATION)
            continue
        made.append({"frequency_khz": _khz(row.frequency), "name": row.name[:100], "pi": pi})
    return made


def _khz(text: str) -> int:
    found = _FREQUENCY.fullmatch(text)
    return int(found[1]) * 1000 + int(found[2] or 0) * 100 if found else 0


def _number(number: Number, text: str, wrong: dict[str, str]) -> int:
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else -1
    if not number.low <= value <= number.high:
        wrong[number.name] = gettext(WRONG_NUMBER) % {"low": number.low, "high": number.high}
        return number.low * number.factor
    return value * number.factor


def usual(unit: UnitPath) -> AudibleConfig:
    """The product's safe values, where a unit has no configuration of its own or above."""
    return AudibleConfig(unit, 0, WallMs(0), quiet_hours=DEFAULT_QUIET_HOURS)
