"""From the fields of a form, or of the API, to a bulletin's values; finds everything that is wrong at once.

Nothing typed is lost: the text stays as it was, and each problem names the field it stands beside.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from controller.bulletins.domain import Bulletin, Timing, narrowest
from controller.bulletins.problem import Code, Problem, Value, problem
from controller.bulletins.timing import TimingError, TimingText, as_text, meant, read_timing
from controller.people.domain import Role, Viewer
from protocol.bulletin import BulletinClass, CatchUp, MediaRef
from protocol.clock import WallMs
from protocol.limits import MEDIA_DURATION_MS_MAX, TARGETS_MAX, TEXT_CHARS_MAX
from protocol.schedule import Content, Programme, Relay, check_frequency
from protocol.stream import StreamRelay, check_stream_address
from protocol.units import UnitPath, covers

PROGRAMME: Final = Programme.KIND
RELAY: Final = Relay.KIND
STREAM: Final = StreamRelay.KIND
MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class DraftText:
    """A bulletin as typed.

    Attributes:
        content_kind: `programme`, `relay` or `stream`.
        relay_ms: length of a relay of either kind.
        media_digest: empty while nothing is chosen.
    """

    unit: str = ""
    title: str = ""
    bulletin_class: str = BulletinClass.ORDINARY.value
    content_kind: str = PROGRAMME
    media_digest: str = ""
    frequency_khz: str = ""
    relay_ms: str = ""
    stream_address: str = ""
    targets: tuple[str, ...] = ()
    catch_up: str = CatchUp.RESUME.value
    timing: TimingText = field(default_factory=TimingText)


@dataclass(frozen=True, slots=True)
class Draft:
    """A bulletin's values after every field was read."""

    unit: UnitPath
    title: str
    bulletin_class: BulletinClass
    content: Content | None
    timing: Timing | None
    targets: tuple[UnitPath, ...]
    catch_up: CatchUp


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a draft is read against.

    Attributes:
        places: every unit and device that exists now.
        media: the sound that the text names, or None when the library has none for these eyes.
    """

    now: WallMs
    viewer: Viewer
    places: Collection[str]
    media: MediaRef | None = None


class _Reader:
    """Collects problems on the way, so that all are told together."""

    def __init__(self, text: DraftText, around: Surroundings) -> None:
        self.text = text
        self.around = around
        self.problems: list[Problem] = []

    def wrong(self, field: str, code: Code, **values: Value) -> None:
        self.problems.append(problem(field, code, **values))

    def title(self) -> str:
        title = " ".join(self.text.title.split())
        if not title:
            self.wrong("title", Code.TITLE_MISSING)
        if len(title) > TEXT_CHARS_MAX:
            self.wrong("title", Code.TITLE_TOO_LONG, most=TEXT_CHARS_MAX, length=len(title))
        return title

    def unit(self) -> UnitPath:
        unit = UnitPath(self.text.unit)
        if unit not in self.around.places:
            self.wrong("unit", Code.UNIT_UNKNOWN)
        elif not self.around.viewer.may(Role.AUTHOR, unit):
            self.wrong("unit", Code.UNIT_OUT_OF_SCOPE, unit=unit)
        return unit

    def bulletin_class(self) -> BulletinClass:
        try:
            return BulletinClass(self.text.bulletin_class)
        except ValueError:
            self.wrong("bulletin_class", Code.CLASS_UNKNOWN)
            return BulletinClass.ORDINARY

    def catch_up(self) -> CatchUp:
        try:
            return CatchUp(self.text.catch_up)
        except ValueError:
            return CatchUp.RESUME

    def timing(self) -> Timing | None:
        try:
            return read_timing(self.text.timing, self.around.now)
        except TimingError as error:
            self.problems.append(error.problem)
            return None

    def content(self) -> Content | None:
        if self.text.content_kind == RELAY:
            return self._relay()
        if self.text.content_kind == STREAM:
            return self._stream()
        if not self.text.media_digest:
            return None
        media = self.around.media
        if media is None or media.digest != self.text.media_digest:
            self.wrong("media_digest", Code.CONTENT_UNKNOWN)
            return None
        return Programme(media)

    def _relay(self) -> Relay | None:
        frequency, duration = _whole(self.text.frequency_khz), _whole(self.text.relay_ms)
        if frequency is None and duration is None:
            return None
        try:
            check_frequency(frequency or 0)
        except ValueError:
            self.wrong("frequency_khz", Code.FREQUENCY_WRONG)
            return None
        assert frequency is not None, "0 kHz is no frequency"
        duration = self._duration()
        return None if duration is None else Relay(frequency, duration)

    def _duration(self) -> int | None:
        duration = _whole(self.text.relay_ms)
        if duration is None or not MINUTE_MS // 60 <= duration <= MEDIA_DURATION_MS_MAX:
            self.wrong("relay_ms", Code.DURATION_WRONG, most=MEDIA_DURATION_MS_MAX // MINUTE_MS)
            return None
        return duration

    def _stream(self) -> StreamRelay | None:
        address = self.text.stream_address.strip()
        if not address and _whole(self.text.relay_ms) is None:
            return None
        try:
            check_stream_address(address)
        except ValueError:
            self.wrong("stream_address", Code.STREAM_WRONG)
            return None
        duration = self._duration()
        return None if duration is None else StreamRelay(address, duration)

    def targets(self, unit: UnitPath) -> tuple[UnitPath, ...]:
        targets = narrowest(tuple(UnitPath(one) for one in self.text.targets))
        if len(targets) > TARGETS_MAX:
            self.wrong("targets", Code.TARGETS_TOO_MANY, most=TARGETS_MAX, count=len(targets))
            return ()
        for target in targets:
            if target not in self.around.places or not covers(unit, target):
                self.wrong("targets", Code.TARGET_OUT_OF_SCOPE, unit=target[:TEXT_CHARS_MAX])
        return targets


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def read_draft(text: DraftText, around: Surroundings) -> tuple[Draft, tuple[Problem, ...]]:
    """The values, and all that is wrong with them; with problems the values must not be stored."""
    reader = _Reader(text, around)
    unit = reader.unit()
    draft = Draft(
        unit=unit,
        title=reader.title(),
        bulletin_class=reader.bulletin_class(),
        content=reader.content(),
        timing=reader.timing(),
        targets=reader.targets(unit),
        catch_up=reader.catch_up(),
    )
    return draft, tuple(reader.problems)


def missing(draft: Draft | Bulletin) -> tuple[Problem, ...]:
    """What a draft may lack but a submitted bulletin may not."""
    found = []
    if draft.content is None:
        found.append(problem("media_digest", Code.CONTENT_MISSING))
    if not draft.targets:
        found.append(problem("targets", Code.TARGETS_MISSING))
    if draft.timing is None:
        found.append(problem("kind", Code.TIME_MISSING))
    return tuple(found)


def text_of(bulletin: Bulletin) -> DraftText:
    """The stored bulletin as its form shows it."""
    content = bulletin.content
    relay = content if isinstance(content, Relay) else None
    stream = content if isinstance(content, StreamRelay) else None
    lasting = relay or stream
    return DraftText(
        unit=bulletin.unit,
        title=bulletin.title,
        bulletin_class=bulletin.bulletin_class.value,
        content_kind=lasting.KIND if lasting else PROGRAMME,
        media_digest=content.media.digest if isinstance(content, Programme) else "",
        frequency_khz=str(relay.frequency_khz) if relay else "",
        relay_ms=str(lasting.duration_ms) if lasting else "",
        stream_address=stream.address if stream else "",
        targets=tuple(bulletin.targets),
        catch_up=bulletin.catch_up.value,
        timing=as_text(bulletin.timing),
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which what someone else stored differs from what this person typed."""

    field: str
    stored: object
    typed: object


def differences(stored: DraftText, typed: DraftText) -> tuple[Difference, ...]:
    """Field by field, so that the second of two editors sees what changed and loses nothing."""
    found = []
    for name in DraftText.__dataclass_fields__:
        one, other = getattr(stored, name), getattr(typed, name)
        if name == "targets":
            one, other = narrowest(one), narrowest(other)
        if name == "timing":
            one, other = meant(one), meant(other)
        if one != other:
            found.append(Difference(name, one, other))
    return tuple(found)
