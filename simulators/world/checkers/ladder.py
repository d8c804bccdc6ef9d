"""Behaviour, section 1: "The highest rung that has something to say is what sounds."

Whatever surely has something to say sounds, or something above it does, within 200 ms, and the amplifier's lead-in
where it was off (section 2). A lower rung that sounds instead breaks `ladder`; silence instead is a `gap`.

Allowed to be late or silent: while the sound card is away; while the card cannot be written, since nothing may sound
before it is stored (trust.md: persist before sound); a source that has just failed, until it is tried again; while a
live session fills its buffer (section 3: "≤ 2 s of buffer"), and 10 s after one that stalled.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from edge.core.events import (
    Booted,
    CardChanged,
    LiveSegmentReceived,
    MediaLost,
    MediaStored,
    TalkPressed,
    TalkReleased,
)
from edge.core.output import LiveOutput, Rung
from protocol.alert import Alert
from protocol.audible_config import in_any
from protocol.bulletin import BulletinClass
from protocol.clock import DAY_MS, WallMs, local_second
from protocol.document import Kind
from simulators.world.checkers.agenda import Agenda
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.holding import Held
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.speech import Flow, Speech
from simulators.world.checkers.truth import Box, Truth
from simulators.world.office import Signed
from simulators.world.trace import Record

SWITCH_MS: Final = 200
_SLACK_MS: Final = 100
"""A wake-up of the core falls on a whole millisecond of a drifting clock, and a busy one comes a little later."""
_UNSAVED_MS: Final = 70_000
_CARD_BACK_MS: Final = 3000
_GAP_MS: Final = 1200
_FILLS_MS: Final = 3500
_RESTS_MS: Final = 12_000


class Ladder:
    """Reckons what is due whenever something changes, and looks again when it ought to sound."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._agendas = {name: Agenda() for name in truth.boxes}
        self._talk: dict[str, tuple[Rung, WallMs]] = {}
        self._wrong: dict[str, tuple[WallMs, Rung]] = {}
        self._next: dict[str, WallMs] = {}
        self._card: dict[str, tuple[bool, WallMs]] = {}
        self._spoke: dict[str, WallMs] = {}
        self._speech = Speech(truth, papers, gap_ms=_GAP_MS)
        for kind in (Booted, MediaStored, MediaLost, TalkPressed, TalkReleased, CardChanged, LiveSegmentReceived):
            truth.on(kind, self._told)
        for what in ("sound.began", "sound.ended", "power.off"):
            truth.on(what, self._fact)
        papers.listeners.append(self._papers_changed)

    # What changes.

    def _told(self, box: Box, record: Record) -> None:
        event, name = record.thing.event, box.name
        if isinstance(event, TalkPressed):
            rung = Rung.EMERGENCY_MICROPHONE if event.emergency else Rung.MICROPHONE
            self._talk[name] = (rung, record.at)
        elif isinstance(event, TalkReleased):
            self._talk.pop(name, None)
        elif isinstance(event, CardChanged):
            self._card[name] = (event.present, record.at)
        elif isinstance(event, Booted):
            self._card.pop(name, None)
            self._agendas[name].stored = set(event.media)
            if box.spoiled:
                self._agendas[name].forgotten(record.at)
        elif isinstance(event, MediaStored):
            self._agendas[name].stored.add(event.digest)
        elif isinstance(event, MediaLost):
            self._agendas[name].stored.discard(event.digest)
        self._reckon(box)

    def _fact(self, box: Box, record: Record) -> None:
        agenda = self._agendas[box.name]
        if record.what in ("power.off", "agent.ended"):
            self._talk.pop(box.name, None)
            self._wrong.pop(box.name, None)
            agenda.power_cut(WallMs(record.at + (box.error_ms(record.at) or 0)))
            return
        if isinstance(record.thing.output, LiveOutput):
            self._spoke[box.name] = max(self._spoke.get(box.name, WallMs(0)), record.at)
        if record.what == "sound.ended":
            agenda.ended(record.thing.output, record.thing.reason, record.at)
        self._reckon(box)

    def _papers_changed(self, box: Box, _: Signed | None) -> None:
        self._agendas[box.name].made = WallMs(0)
        self._reckon(box)

    # What is due.

    def _due(self, box: Box, held: Held, wall: WallMs | None) -> tuple[Rung, str]:
        config = held.rules
        talk = self._talk.get(box.name)
        talks = talk is not None and self._truth.now - talk[1] < config.talk_ms_max - SWITCH_MS
        if talk is not None and talks and talk[0] is Rung.EMERGENCY_MICROPHONE:
            return Rung.EMERGENCY_MICROPHONE, "the emergency microphone"
        if wall is not None:
            alert = self._alert(held, wall, Kind.ALERT)
            if alert is not None:
                return Rung.EMERGENCY, alert.id
        quiet = wall is not None and in_any(config.quiet_hours, wall)
        if talks and (not quiet or config.microphone_in_quiet_hours):
            return Rung.MICROPHONE, "the microphone"
        if wall is not None and held.may_be_stopped(wall):
            self._agendas[box.name].stopped(wall)
        if wall is None or quiet or held.may_be_stopped(wall):
            return Rung.SILENCE, ""
        live = self._live(box, wall)
        if live is Rung.LIVE_PRIORITY:
            return live, "a live session"
        for kind in (Kind.ALERT_DRILL, Kind.ALERT_TEST):
            drill = self._alert(held, wall, kind)
            if drill is not None:
                return Rung.PRIORITY, drill.id
        found = self._agendas[box.name].due(box, held, wall, self._truth.now)
        if found is None or (live is not None and live < found.rung):
            return (Rung.SILENCE, "") if live is None else (live, "a live session")
        return found.rung, f"{found.item.id}@{found.start}"

    def _flows(self, box: Box, wall: WallMs) -> list[tuple[Rung, Flow]]:
        """Sessions that are announced, last, and have been heard of lately."""
        found = []
        for session_id, flow in self._speech.flows[box.name].items():
            held = self._speech.session(box, session_id)
            if held is None or wall >= held[1].expires or flow.over or self._truth.now - flow.last > _GAP_MS:
                continue
            priority = held[1].bulletin_class is BulletinClass.PRIORITY
            found.append((Rung.LIVE_PRIORITY if priority else Rung.ORDINARY, flow))
        return found

    def _live(self, box: Box, wall: WallMs) -> Rung | None:
        """The highest that surely has something to say."""
        now = self._truth.now
        rests = now - self._spoke.get(box.name, 0) < _RESTS_MS
        full = [
            rung
            for rung, flow in self._flows(box, wall)
            if now - flow.since > _FILLS_MS and not (flow.gaps and rests and box.rung > rung)
        ]
        return min(full, default=None)

    @staticmethod
    def _alert(held: Held, wall: WallMs, kind: Kind) -> Alert | None:
        for one in held.alerts.values():
            alert = one.signed.document
            lasts = isinstance(alert, Alert) and one.signed.kind is kind and wall < alert.expires
            if lasts and isinstance(alert, Alert) and held.is_cancelled(alert) is None:
                return alert
        return None

    # Whether it sounds.

    def _reckon(self, box: Box) -> None:
        if box.booted is None or box.powered is None:
            return
        now, held, wall = self._truth.now, self._papers.held[box.name], self._papers.wall(box)
        agenda = self._agendas[box.name]
        if wall is not None and not agenda.made + DAY_MS // 2 > wall >= agenda.made:
            agenda.make(held, wall)
        rung, _ = self._due(box, held, wall)
        former = self._wrong.get(box.name)
        if box.rung <= rung or self._is_excused(box, rung):
            self._wrong.pop(box.name, None)
        elif former is None or rung < former[1]:
            self._wrong[box.name] = (now, rung)
            self._truth.at(WallMs(now + self._patience_ms(box, held)), box, partial(self._judge, box, now))
        self._plan_next(box, held, wall, agenda)

    def _is_excused(self, box: Box, due: Rung) -> bool:
        present, since = self._card.get(box.name, (True, WallMs(0)))
        if box.device.hindrances.lately(self._truth.now):
            return True
        unsaved = box.device.card.broken or self._truth.now - box.save_failed < _UNSAVED_MS
        wall = self._papers.wall(box)
        fills = wall is not None and any(
            self._truth.now - flow.since < _FILLS_MS for _, flow in self._flows(box, wall)
        )
        if fills and due > Rung.MICROPHONE:
            return True
        return not present or self._truth.now - since < _CARD_BACK_MS or unsaved

    def _patience_ms(self, box: Box, held: Held) -> int:
        before = box.booted is not None and box.quiet_since < box.booted
        held_on = self._truth.now - box.quiet_since < held.rules.amplifier_hold_ms
        warm = box.sounding or (held_on and not before)  # who starts anew does not know that the amplifier is on
        return SWITCH_MS + _SLACK_MS + (0 if warm else held.lead_in_ms)

    def _plan_next(self, box: Box, held: Held, wall: WallMs | None, agenda: Agenda) -> None:
        """Looks again when something begins or ends by time alone."""
        if wall is None:
            return
        midnight = wall - local_second(wall) * 1000 - wall % 1000
        edges: list[int] = [agenda.edges(wall)]
        for window in held.rules.quiet_hours:
            edges += [midnight + one * 1000 + day for one in (window.begin_s, window.end_s) for day in (0, DAY_MS)]
        edges.append(held.stopped_until(surely=False))
        soonest = min(one for one in edges if one > wall)
        when = WallMs(self._truth.now + soonest - wall)
        if abs(when - self._next.get(box.name, 0)) > 1:
            self._next[box.name] = when
            self._truth.at(when, box, partial(self._reckon_at, box, when))

    def _reckon_at(self, box: Box, when: WallMs) -> None:
        if self._next.get(box.name) == when:
            self._next.pop(box.name)
            self._reckon(box)

    def _judge(self, box: Box, since: WallMs) -> None:
        wrong = self._wrong.get(box.name)
        if wrong is None or wrong[0] != since or box.booted is None:
            return
        self._wrong.pop(box.name)
        rung, words = self._due(box, self._papers.held[box.name], self._papers.wall(box))
        if box.rung <= rung or self._is_excused(box, rung):
            return
        rule = "gap" if box.rung is Rung.SILENCE else "ladder"
        self._tell(box.name, rule, f"rung {box.rung} sounds while {words} on rung {rung} is due")

    def end(self) -> None:
        """See `Rule`."""
