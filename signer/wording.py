"""Times, lengths and choices in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, Protocol

from protocol.alert import Tone
from protocol.audible_config import Fallback, Window
from protocol.bulletin import BulletinClass, CatchUp, Explicit, Weekly, When
from protocol.clock import DAY_MS, WallMs, local_datetime
from protocol.document import Kind
from protocol.verbs import Verb
from signer.i18n import gettext as _
from signer.i18n import language, ngettext


class HasEnd(Protocol):
    """A grant or whatever else ends."""

    @property
    def ends(self) -> WallMs: ...
    @property
    def days(self) -> int: ...
    @property
    def over(self) -> bool: ...


AHEAD_MS: Final = 8 * DAY_MS
_STARTS_SHOWN: Final = 6


def weekday(number: int) -> str:
    """Name of an ISO weekday."""
    names = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
    return names[number - 1]


def weekdays(numbers: Iterable[int]) -> str:
    """Several weekdays; all of them, or none named, is every day."""
    chosen = sorted(set(numbers))
    if len(chosen) in (0, 7):
        return _("every day")
    return ", ".join(weekday(number) for number in chosen)


def moment(wall: WallMs) -> str:
    """Weekday, date and time of an instant, local; seconds only when they matter."""
    try:
        at = local_datetime(wall)
    except (ValueError, OverflowError, OSError):
        return _("a time beyond the calendar")
    clock = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    return f"{clock} · {weekday(at.isoweekday())} {at:%d/%m/%Y}"


def clock_time(second: int) -> str:
    """A second of the day as hours and minutes."""
    hours, rest = divmod(second, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}" if seconds else f"{hours:02}:{minutes:02}"


def length(duration_ms: int) -> str:
    """A length in hours, minutes and seconds; whole units that are zero are left out."""
    seconds = max(1, round(duration_ms / 1000)) if duration_ms else 0
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    words = []
    if hours:
        words.append(ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours})
    if minutes:
        words.append(ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes})
    if seconds or not words:
        words.append(ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds})
    return " ".join(words)


def day(text: str) -> str:
    """A date as people write it here."""
    return f"{date.fromisoformat(text):%d/%m/%Y}"


def day_of(wall: WallMs) -> str:
    """The local date of an instant."""
    try:
        return f"{local_datetime(wall):%d/%m/%Y}"
    except (ValueError, OverflowError, OSError):
        return _("a time beyond the calendar")


def when_words(when: When) -> str:
    """The rule of an item."""
    if isinstance(when, Weekly):
        return _weekly_words(when)
    count = len(set(when.starts))
    if count == 1:
        return moment(when.starts[0])
    return ngettext("%(n)d broadcast", "%(n)d broadcasts", count) % {"n": count}


def _weekly_words(when: Weekly) -> str:
    words = _("%(days)s at %(time)s, from %(first)s to %(last)s") % {
        "days": weekdays(when.days) if when.days else _("on no day"),
        "time": clock_time(when.at_s),
        "first": day(when.first_date),
        "last": day(when.last_date),
    }
    left_out = ", ".join(day(one) for one in sorted(when.except_dates))
    return words + (_(", except %(dates)s") % {"dates": left_out} if left_out else "")


def next_starts(when: When, now: WallMs) -> tuple[tuple[WallMs, ...], int]:
    """The first few starts within eight days, and how many more there are."""
    found = sorted(set(when.between(now, WallMs(now + AHEAD_MS))))
    return tuple(found[:_STARTS_SHOWN]), max(0, len(found) - _STARTS_SHOWN)


def later_starts(when: When, now: WallMs) -> bool:
    """Whether anything begins after the eight days that are listed."""
    beyond = WallMs(now + AHEAD_MS)
    if isinstance(when, Explicit):
        return any(start >= beyond for start in when.starts)
    return bool(when.days) and when.last_date > f"{local_datetime(beyond):%Y-%m-%d}"


def window_words(windows: tuple[Window, ...]) -> str:
    """Windows of the day."""
    return "; ".join(_window(window) for window in windows) or _("none")


def _window(window: Window) -> str:
    span = f"{clock_time(window.begin_s)}–{clock_time(window.end_s)}"
    return f"{span} ({weekdays(window.days)})"


def class_words(bulletin_class: BulletinClass) -> str:
    """The class of a bulletin."""
    return {
        BulletinClass.ORDINARY: _("Ordinary bulletin"),
        BulletinClass.PRIORITY: _("Priority bulletin"),
    }[bulletin_class]


def catch_up_words(catch_up: CatchUp) -> str:
    """What happens after a power cut."""
    return {
        CatchUp.RESUME: _("After a power cut it goes on where it should be by the clock."),
        CatchUp.RESTART: _("After a power cut it begins again."),
        CatchUp.SKIP: _("After a power cut it is left out."),
    }[catch_up]


def tone_words(tone: Tone) -> str:
    """The attention tone."""
    return {
        Tone.TWO_TONE: _("two alternating tones"),
        Tone.SWEEP: _("rising siren"),
        Tone.CHIME: _("chime"),
    }[tone]


def fallback_words(fallback: Fallback) -> str:
    """What follows when there is nothing to play."""
    return {Fallback.SILENCE: _("silence"), Fallback.FM: _("relay of the FM station")}[fallback]


def severity_words(severity: int) -> str:
    """How grave an emergency is, 1 to 4."""
    return (_("1 – notice"), _("2 – warning"), _("3 – serious"), _("4 – very serious"))[severity - 1]


def language_words(code: str) -> str:
    """Name of a language."""
    names = {"vi": _("Vietnamese"), "km": _("Khmer"), "en": _("English"), "zh": _("Chinese")}
    return names.get(code.split("-")[0], code)


def kind_words(kind: Kind) -> str:
    """What a document is, as a heading."""
    return {
        Kind.SCHEDULE: _("Broadcast schedule"),
        Kind.AUDIBLE_CONFIG: _("Rules of the loudspeakers"),
        Kind.ALERT: _("REAL EMERGENCY"),
        Kind.ALERT_DRILL: _("DRILL"),
        Kind.ALERT_TEST: _("TEST"),
        Kind.CANCEL: _("Cancel an emergency"),
        Kind.STOP: _("Stop broadcasting now"),
        Kind.LIVE_SESSION: _("Live broadcast"),
        Kind.GRANT: _("Authority for an office"),
        Kind.DENIAL: _("Authority is taken back"),
        Kind.ASSIGNMENT: _("Loudspeakers are assigned"),
    }[kind]


def verb_words(verb: Verb) -> str:
    """What a grant allows."""
    return {
        Verb.SCHEDULE: _("broadcast programmes by a schedule"),
        Verb.CONFIGURE: _("set the rules of the loudspeakers: FM, hours, volume"),
        Verb.LIVE: _("speak live"),
        Verb.ALERT: _("send emergencies to one place"),
        Verb.ALERT_WIDE: _("send emergencies to several places"),
        Verb.STOP: _("stop broadcasting at once"),
        Verb.GRANT: _("give authority to others and take it back"),
        Verb.ASSIGN: _("assign loudspeakers to places"),
    }[verb]


def kind_name(name: str) -> str:
    """The same for a name from outside; one we do not know stays as it is."""
    try:
        return kind_words(Kind(name))
    except (KeyError, ValueError):
        return name


def ending_words(ending: HasEnd) -> str:
    """When something ends, and how soon that is."""
    when = moment(ending.ends)
    if ending.over:
        return _("ended at %(when)s") % {"when": when}
    days = ngettext("in %(n)d day", "in %(n)d days", ending.days) % {"n": ending.days}
    return _("ends %(days)s, at %(when)s") % {"days": days, "when": when}


def frequency(khz: int) -> str:
    """An FM frequency as on a radio's dial."""
    return f"{khz / 1000:.1f} MHz".replace(".", ",")


def decibels(cdb: int) -> str:
    """A gain below full scale."""
    if cdb == 0:
        return _("full volume")
    return _("%(db)s dB quieter") % {"db": f"{cdb / 100:g}".replace(".", ",")}


def number(count: int) -> str:
    """A count with its thousands apart, as the language writes them."""
    return f"{count:,}" if language() == "en" else f"{count:,}".replace(",", ".")
