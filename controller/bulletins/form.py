"""The compose form: its fields as text, and what the page needs to show it again after a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from multidict import MultiMapping

from controller.bulletins.draft import MINUTE_MS, RELAY, STREAM, Difference, DraftText
from controller.bulletins.problem import Problem
from controller.bulletins.timing import TimingText
from controller.bulletins.wording import CLASSES, FIELDS, sentence
from controller.schedules.queries import Tree
from controller.schedules.tree import Branch, branch_of
from controller.web.formats import local_date, megahertz, play_length, weekday
from controller.web.i18n import gettext
from protocol.units import UnitPath

MINUTES_USUAL: Final = "15"


def text_of_form(form: MultiMapping[Any]) -> DraftText:
    """What was typed. An open draft sends no field that is not on the page, so a missing one counts as empty."""

    def one(name: str) -> str:
        return str(form.get(name, "")).strip()

    def many(name: str) -> tuple[str, ...]:
        return tuple(str(value) for value in form.getall(name, ()))

    return DraftText(
        unit=one("unit"),
        title=one("title"),
        bulletin_class=one("bulletin_class") or "ordinary",
        content_kind=one("content_kind") or "programme",
        media_digest=one("media_digest"),
        frequency_khz=one("frequency_khz") if one("content_kind") == RELAY else "",
        relay_ms=_minutes(one("relay_minutes")) if one("content_kind") in (RELAY, STREAM) else "",
        stream_address=one("stream_address") if one("content_kind") == STREAM else "",
        targets=many("targets"),
        catch_up=one("catch_up") or "resume",
        timing=TimingText(
            kind=one("kind"),
            date=one("date"),
            time=one("weekly_time") if one("kind") == "weekly" else one("time"),
            days=many("days"),
            first_date=one("first_date"),
            last_date=one("last_date"),
            except_dates=one("except_dates"),
        ),
    )


def _minutes(text: str) -> str:
    return str(int(text) * MINUTE_MS) if text.isascii() and text.isdigit() and len(text) < 6 else ""


def minutes_of(text: DraftText) -> str:
    """The length of a relay as its field shows it."""
    return str(int(text.relay_ms) // MINUTE_MS) if text.relay_ms else MINUTES_USUAL


@dataclass(frozen=True, slots=True)
class Shown:
    """A problem as the page shows it."""

    field: str
    sentence: str
    passable: bool


def shown(problems: Iterable[Problem]) -> tuple[Shown, ...]:
    """Sentences in the reader's language."""
    return tuple(Shown(one.field, sentence(one), one.passable) for one in problems)


def by_field(problems: Iterable[Shown]) -> Mapping[str, tuple[str, ...]]:
    """Sentences to stand beside each field."""
    found: dict[str, tuple[str, ...]] = {}
    for one in problems:
        if not one.passable:
            found[one.field] = (*found.get(one.field, ()), one.sentence)
    return found


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """What two editors wrote in one field."""

    field: str
    stored: str
    typed: str


def shown_differences(found: Iterable[Difference], tree: Tree) -> tuple[ShownDifference, ...]:
    """Both values of each field as people read them."""
    return tuple(
        ShownDifference(
            gettext(FIELDS[one.field]), _value(one.field, one.stored, tree), _value(one.field, one.typed, tree)
        )
        for one in found
    )


def _value(field: str, value: object, tree: Tree) -> str:
    if field == "targets":
        assert isinstance(value, tuple), "targets are a tuple"
        return ", ".join(tree.name(one) for one in value) or "–"
    if isinstance(value, TimingText):
        return timing_words(value)
    text = str(value)
    if field == "bulletin_class":
        return gettext(CLASSES.get(text, text))
    if field == "frequency_khz" and text:
        return megahertz(int(text))
    if field == "relay_ms" and text:
        return play_length(int(text))
    if field == "media_digest" and text:
        return text[:12]
    return text or "–"


def timing_words(text: TimingText) -> str:
    """`17:00 thứ Hai, thứ Tư, từ 01/12/2026 đến 31/12/2026`."""
    if text.kind == "now":
        return gettext("As soon as it is signed")
    if text.kind == "once":
        return f"{text.time} {_date(text.date)}"
    if text.kind != "weekly":
        return "–"
    days = _days(sorted({int(day) for day in text.days if day in "1234567"}))
    span = gettext("from %(first)s to %(last)s") % {"first": _date(text.first_date), "last": _date(text.last_date)}
    but = gettext("except %(dates)s") % {"dates": ", ".join(_date(one) for one in text.except_dates.split())}
    return f"{text.time} {days}, {span}" + (f", {but}" if text.except_dates else "")


def _days(days: list[int]) -> str:
    """Each day by name, or `Monday to Friday` when they follow one another."""
    if len(days) == 7:
        return gettext("every day")
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return gettext("%(first)s to %(last)s") % {"first": weekday(days[0]), "last": weekday(days[-1])}
    return ", ".join(weekday(day) for day in days)


def _date(text: str) -> str:
    return local_date(text) if text.count("-") == 2 else text


def targets_tree(tree: Tree, unit: str, chosen: Iterable[str]) -> Branch | None:
    """The unit with all that lies below it, for checkboxes; None while no unit is chosen."""
    return branch_of(tree, UnitPath(unit), frozenset(chosen)) if unit in tree.names else None
