"""What is said at once: emergencies, drills and tests, their cancels, stop-now, and people who speak live.

One commune's operator alone; several communes with two signers. Some cancels come before their alert, some when it
is long over. The last alert of a day falls into the calm: by then everybody must hear it.
"""

from __future__ import annotations

import hashlib
import random
from functools import partial
from typing import TYPE_CHECKING, Final

from protocol.alert import Alert, Cancel, Part, Stop, Tone
from protocol.bulletin import BulletinClass
from protocol.clock import WallMs
from protocol.document import Kind as Document
from protocol.live import LiveSegment, LiveSession
from protocol.units import UnitPath
from simulators.world.office import OPERATOR, PROVINCE, WIDE, Signed, units_of
from simulators.world.paths import place_of, say
from simulators.world.people import MINUTE_MS, Desk, in_words, words_of
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.world import World

_ALERTS_A_DAY: Final = 0.4
_WIDE_A_DAY: Final = 0.2
_STOPS_A_DAY: Final = 0.15
_LIVE_A_DAY: Final = 0.25
_LIFE_MS_MAX: Final = 30 * MINUTE_MS
_LANGUAGES: Final = ("vi", "km", "cjm", "en")
_ALL: Final = "all"
_PACKETS: Final = b"\x00\x03\xf8\xff\xfe" * 3
_SPEECH_KEPT: Final = 60


# Emergencies.


def alert_of(
    world: World,
    unit: UnitPath,
    name: str,
    *,
    life_ms: int,
    issued: WallMs | None = None,
    sequence: int | None = None,
    words: dict[str, str] | None = None,
) -> Alert:
    """An alert as somebody at that unit's desk writes it; with `wide` in the words for several communes, or all."""
    words = words or {}
    at = world.trace_wall() if issued is None else issued
    named = [one for one in words.get("wide", "").split(",") if one not in ("", _ALL)]
    wide = tuple(UnitPath(f"{PROVINCE}/{one}") for one in named)
    recording = world.people.sound(f"{unit}/{name}", 20_000) if words.get("media") == "yes" else None
    parts = tuple(
        Part(language, f"{name} {language}: nước sông lên nhanh", recording)
        for language in _LANGUAGES[: int(words.get("parts", "1"))]
    )
    return Alert(
        scope=unit,
        id=f"{unit}/{name}",
        sequence=world.offices.next(f"sequence {unit}") if sequence is None else sequence,
        issued=at,
        expires=WallMs(at + min(life_ms, _LIFE_MS_MAX)),
        severity=int(words.get("severity", "3")),
        targets=wide or (unit,),
        parts=parts,
        tone=Tone(words.get("tone", Tone.TWO_TONE)),
        tone_ms=int(words.get("tone_ms", "5000")),
        gap_ms=int(words.get("gap_ms", "8000")),
    )


def issue_alert(world: World, kind: Document, alert: Alert) -> Signed:
    """Signed by whoever may, together with its cancel, which waits for its button; for the province by two."""
    holder = WIDE if alert.scope == PROVINCE else OPERATOR
    made = world.people.issue(kind, alert, holder=holder)
    cancel = Cancel(alert.scope, alert.id, alert.issued, alert.expires, alert.targets)
    at = world.trace_wall()
    world.people.cancels[alert.id] = world.offices.issue(Document.CANCEL, cancel, at=at, holder=holder)
    return made


def _alert(world: World, happening: Happening) -> None:
    """An emergency of `number` milliseconds; sent later than signed when it is held up."""
    words, unit = words_of(happening.words), UnitPath(happening.who)
    wide = [one for one in words["wide"].split(",") if one == _ALL or f"{PROVINCE}/{one}" in world.people.desks]
    if unit not in world.people.desks or (words["wide"] and not wide):
        return
    alert = alert_of(world, unit, words["id"], life_ms=happening.number, words=words | {"wide": ",".join(wide)})
    world.people.hand_in(issue_alert(world, Document(words["kind"]), alert), late_ms=int(words["late_ms"]))


def _cancel(world: World, happening: Happening) -> None:
    """The prepared cancel of an alert, in time or not."""
    prepared = world.people.cancels.get(f"{happening.who}/{happening.words}")
    if prepared is not None:
        world.people.hand_in(prepared)


def _draw_alerts(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    units = units_of(names)
    found: list[Happening] = []
    for at_ms, unit in sometimes(dice, shape, units, per_day=_ALERTS_A_DAY):
        found += _one_or_more(dice, shape, at_ms, unit, wide="")
    for at_ms, unit in sometimes(dice, shape, (PROVINCE,), per_day=_WIDE_A_DAY):
        chosen = [one.rpartition("/")[2] for one in units if dice.random() < 0.6] or [_ALL]
        found += _one_or_more(dice, shape, at_ms, unit, wide=",".join(chosen))
    return found + _last_alerts(dice, shape, units)


def _one_or_more(dice: random.Random, shape: Shape, at_ms: int, unit: str, *, wide: str) -> list[Happening]:
    """Sometimes another one of another severity while the first lasts; sometimes renewed, or cancelled."""
    life_ms = round(dice.choice((1, 3, 5, 10, 30)) * MINUTE_MS)
    found = [_drawn(dice, at_ms, unit, life_ms, wide=wide)]
    if dice.random() < 0.3:
        found.append(_drawn(dice, at_ms + dice.randrange(200, life_ms), unit, life_ms, wide=wide))
    if dice.random() < 0.2:
        found.append(_drawn(dice, at_ms + life_ms - dice.randrange(1, 30_000), unit, life_ms, wide=wide))
    if dice.random() < 0.5:
        after_ms = dice.choice((300, 5000, dice.randrange(1000, life_ms), life_ms + 5000))
        found.append(Happening(at_ms + after_ms, unit, "people.cancel", 0, f"a{at_ms}"))
    return [one for one in found if one.at_ms < shape.calm_ms]


def _drawn(dice: random.Random, at_ms: int, unit: str, life_ms: int, *, wide: str) -> Happening:
    words = in_words(
        id=f"a{at_ms}",
        kind=dice.choices((Document.ALERT, Document.ALERT_DRILL, Document.ALERT_TEST), (6, 2, 2))[0],
        severity=dice.randrange(1, 5),
        parts=dice.randrange(1, 4),
        media=dice.choice(("yes", "no")),
        tone=dice.choice(tuple(Tone)),
        tone_ms=dice.randrange(3000, 10_001),
        gap_ms=dice.randrange(1000, 30_001),
        late_ms=dice.choices((0, dice.randrange(100, 120_000)), (4, 1))[0],
        wide=wide,
    )
    return Happening(at_ms, unit, "people.alert", life_ms, words)


def _last_alerts(dice: random.Random, shape: Shape, units: tuple[UnitPath, ...]) -> list[Happening]:
    """In the calm of a day, for about half of the communes."""
    found = []
    for unit in units:
        at_ms = shape.end_ms - dice.randrange(20, 50) * MINUTE_MS
        words = in_words(id=f"l{at_ms}", kind=Document.ALERT, media="no", late_ms=0, wide="")
        if dice.random() < 0.5 and at_ms > shape.calm_ms + 60 * MINUTE_MS:
            found.append(Happening(at_ms, unit, "people.alert", 5 * MINUTE_MS, words))
    return found


# Stop-now.


def _stop(world: World, happening: Happening) -> None:
    """Silence for `number` milliseconds, in the commune or at one loudspeaker of it."""
    unit, wall = UnitPath(happening.who), world.trace_wall()
    if unit not in world.people.desks:
        return
    target = unit
    if happening.words in world.devices and place_of(world, happening.words).startswith(f"{unit}/"):
        target = place_of(world, happening.words)
    sequence = world.offices.next(f"sequence {unit}")
    expires, until = WallMs(wall + 10 * MINUTE_MS), WallMs(wall + happening.number)
    world.people.hand_in(world.people.issue(Document.STOP, Stop(unit, sequence, wall, expires, until, (target,))))


def _draw_stops(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_STOPS_A_DAY):
        number = min(round(10 ** dice.uniform(3.5, 6.9)), shape.calm_ms - at_ms)
        found.append(Happening(at_ms, unit, "people.stop", number, dice.choice(("all", dice.choice(names)))))
    return found


# Speaking live.


def _live(world: World, happening: Happening) -> None:
    """Somebody speaks for `number` seconds, a segment each second, with a gap where the words say so."""
    unit, words, wall = UnitPath(happening.who), words_of(happening.words), world.trace_wall()
    desk = world.people.desks.get(unit)
    if desk is None:
        return
    session = LiveSession(
        scope=unit,
        id=hashlib.sha256(f"{unit}/{happening.at_ms}".encode()).hexdigest()[:32],
        sequence=world.offices.next(f"sequence {unit}"),
        issued=wall,
        expires=WallMs(wall + int(words["life_s"]) * 1000),
        bulletin_class=BulletinClass(words["class"]),
        key=world.offices.key(f"live {unit}/{happening.at_ms}").public,
        targets=(unit,),
    )
    world.people.hand_in(world.people.issue(Document.LIVE_SESSION, session))
    desk.speech.clear()
    gap = range(int(words["gap_at"]), int(words["gap_at"]) + int(words["gap_s"]))
    for second in range(happening.number):
        if second not in gap:
            world.later(1000 * second + 500, partial(_speak, world, desk, happening, session.id, second))
    if words["goodbye"] == "yes":
        goodbye = partial(_speak, world, desk, happening, session.id, happening.number, last=True)
        world.later(1000 * happening.number + 500, goodbye)


def _speak(world: World, desk: Desk, happening: Happening, session: str, counter: int, *, last: bool = False) -> None:
    bare = LiveSegment(session, counter, 1000, b"" if last else _PACKETS, b"").signed_bytes()
    segment = bare + world.offices.key(f"live {desk.unit}/{happening.at_ms}").sign(bare)
    world.offices.spoken[session] = world.offices.spoken.get(session, 0) + 1
    desk.speech.append(segment)
    del desk.speech[:-_SPEECH_KEPT]
    say(world, desk.unit, segment)


def _draw_live(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_LIVE_A_DAY):
        seconds = dice.choice((5, 20, 40, 60))
        words = in_words(
            life_s=dice.choice((30, 120, 3600)),
            gap_at=dice.randrange(seconds),
            gap_s=dice.choice((0, 0, 1, 3, 15)),
            goodbye=dice.choice(("yes", "no")),
            **{"class": dice.choice(tuple(BulletinClass))},
        )
        found.append(Happening(at_ms, unit, "people.live", seconds, words))
    return found


KINDS: Final = {
    "people.alert": Kind(_alert, _draw_alerts, fault=False),
    "people.cancel": Kind(_cancel, fault=False),
    "people.stop": Kind(_stop, _draw_stops, fault=False),
    "people.live": Kind(_live, _draw_live, fault=False),
}
