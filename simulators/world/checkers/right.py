"""What gives a sound its right to be heard now, or why it has none: behaviour.md, sections 1, 3, 5 and 8.

"verified source": a person at the device; a document that was truly signed, is in force, addresses this device and
names this very sound; FM inside a signed window or slot. Everything is judged by the hour that the device believes;
whether that is right is judged by `clock`.
"""

from __future__ import annotations

from typing import Final

from edge.core.output import (
    AlertOutput,
    FmOutput,
    LiveOutput,
    MessageOutput,
    MicrophoneOutput,
    Output,
    ProgrammeOutput,
    Rung,
    SlotOutput,
    StreamOutput,
)
from protocol.alert import Alert
from protocol.audible_config import AudibleConfig, Fallback, in_any
from protocol.bulletin import BulletinClass
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.live import LiveSession
from protocol.schedule import Item, Programme, Relay, Schedule
from protocol.units import addresses, covers
from simulators.world.checkers.holding import Held, may_speak
from simulators.world.office import Signed

EARLY_MS: Final = 300
"""A start is planned ahead on a monotonic clock, and the believed hour may move a little meanwhile."""
TAIL_MS: Final = 2000
"""Time in which the sound path reports an end by itself."""
REST_MS: Final = 6000
"""What is held of a network's sound is heard to its end (section 3: good sound rather than nothing)."""
_ONLY_FRESH: Final = ("loudness", "start")
"""Rules may change while it sounds, and the believed hour may be set back to before its beginning."""
Wrong = tuple[str, str]


class Right:
    """Looks for what a sound stands on.

    Args:
        signed: all that was ever truly signed.
    """

    def __init__(self, signed: dict[str, Signed]) -> None:
        self._signed = signed

    def wrong_with(self, output: Output, held: Held, wall: WallMs | None, *, fresh: bool) -> Wrong | None:
        """The rule that a sound breaks and how; None for a sound that is in its right.

        Args:
            wall: the hour that the device believes; None while it believes none.
            fresh: it begins now; else it has been sounding.
        """
        wrong = self._wrong_with(output, held, wall)
        return None if wrong is not None and wrong[0] in _ONLY_FRESH and not fresh else wrong

    def _wrong_with(self, output: Output, held: Held, wall: WallMs | None) -> Wrong | None:
        config = held.rules
        if isinstance(output, MicrophoneOutput):
            return self._microphone(output, config, wall)
        if isinstance(output, MessageOutput):
            return self._message(output, held, config, wall)
        if wall is None:
            return "clock", f"rung {output.rung} by an hour that is not believed"
        if output.rung >= Rung.LIVE_PRIORITY and in_any(config.quiet_hours, wall):
            return "quiet_hours", f"rung {output.rung} by its own clock"
        if output.rung >= Rung.LIVE_PRIORITY and held.is_stopped(wall):
            return "stop", f"rung {output.rung} while stopped"
        if isinstance(output, AlertOutput):
            return self._alert(output, held, config, wall)
        if isinstance(output, LiveOutput):
            return self._live(output, held, config, wall)
        if isinstance(output, SlotOutput):
            return self._slot(output, held, config, wall)
        return None

    @staticmethod
    def _microphone(output: MicrophoneOutput, config: AudibleConfig, wall: WallMs | None) -> Wrong | None:
        emergency = output.rung is Rung.EMERGENCY_MICROPHONE
        quiet = wall is not None and in_any(config.quiet_hours, wall)
        if quiet and not emergency and not config.microphone_in_quiet_hours:
            return "quiet_hours", "the microphone, which the policy forbids at night"
        loss = config.emergency_attenuation_cdb if emergency else config.priority_attenuation_cdb
        return _loudness(output.attenuation_cdb, loss)

    def _message(self, output: MessageOutput, held: Held, config: AudibleConfig, wall: WallMs | None) -> Wrong | None:
        signed = self._signed.get(output.document)
        document = signed.document if signed is not None else None
        if not isinstance(document, AudibleConfig) or not covers(document.scope, held.place):
            return "verified_source", "a message that no signed rules name"
        named = any((one.number, one.media) == (output.number, output.media) for one in config.messages)
        if not named:
            return "verified_source", f"message {output.number} is not in the rules in force"
        if wall is not None and in_any(config.quiet_hours, wall) and not config.microphone_in_quiet_hours:
            return "quiet_hours", "a message, which the policy forbids at night"
        return None

    def _alert(self, output: AlertOutput, held: Held, config: AudibleConfig, wall: WallMs) -> Wrong | None:
        alerts: list[Alert] = []
        for digest in (output.document, *output.others):
            signed = self._signed.get(digest)
            if signed is None or not isinstance(signed.document, Alert):
                return "verified_source", f"an alert that nobody signed: {digest[:12]}"
            alert = signed.document
            if (signed.kind is Kind.ALERT) is not (output.rung is Rung.EMERGENCY):
                return "emergency", f"a {signed.kind} on rung {output.rung}"
            if not addresses(alert.targets, held.place):
                return "verified_source", f"an alert for {alert.targets[0]} at {held.place}"
            if held.is_cancelled(alert) is not None:
                return "emergency", f"{alert.id} was cancelled"
            if wall >= alert.expires:
                return "emergency", f"{alert.id} ended {wall - alert.expires} ms ago"
            if digest not in held.alerts:
                return "verified_source", f"{alert.id} was never to be obeyed here"
            alerts.append(alert)
        first = alerts[0]
        if output.parts != tuple(part for one in alerts for part in one.parts):
            return "emergency", "says something else than was signed"
        if (output.tone, output.tone_ms, output.gap_ms) != (first.tone, first.tone_ms, first.gap_ms):
            return "emergency", "another tone or gap than was signed"
        if any(first.severity < one.severity for one in alerts):
            return "emergency", "a lesser alert goes before a graver one"
        return _loudness(output.attenuation_cdb, config.emergency_attenuation_cdb)

    def _live(self, output: LiveOutput, held: Held, config: AudibleConfig, wall: WallMs) -> Wrong | None:
        signed = self._signed.get(output.document)
        session = signed.document if signed is not None else None
        if not isinstance(session, LiveSession) or session.id != output.session_id:
            return "verified_source", "a live session that nobody announced"
        if not addresses(session.targets, held.place) or output.document not in held.lives:
            return "verified_source", f"the live session {session.id[:8]} is not for here"
        if wall >= session.expires:
            return "verified_source", f"the live session {session.id[:8]} has ended"
        priority = session.bulletin_class is BulletinClass.PRIORITY
        if (output.rung is Rung.LIVE_PRIORITY) is not priority:
            return "ladder", f"a live session on rung {output.rung}"
        return _loudness(output.attenuation_cdb, _loss(config, priority=priority))

    def _slot(self, output: SlotOutput, held: Held, config: AudibleConfig, wall: WallMs) -> Wrong | None:
        if output.document is None:
            assert isinstance(output, FmOutput), "only FM sounds without a slot"
            return _fallback(output, config, wall)
        signed = self._signed.get(output.document)
        schedule = signed.document if signed is not None else None
        if not isinstance(schedule, Schedule):
            return "verified_source", "an item of a schedule that nobody signed"
        current = held.versioned.get((Kind.SCHEDULE, schedule.scope))
        if current is None or not isinstance(current.signed.document, Schedule):
            return "verified_source", f"an item of {schedule.scope}, whose schedule is not in force here"
        wrong = self._item(output, current.signed.document, held, wall)
        if wrong is not None:
            return wrong
        stale_ms = wall - max(current.signed.document.issued, held.head)
        if wall >= current.signed.document.expires or stale_ms > config.head_age_ms_max + TAIL_MS:
            return "schedule_life", f"an item of {schedule.scope}, whose schedule is past its end or not confirmed"
        priority = output.rung is Rung.PRIORITY
        return _loudness(output.attenuation_cdb, _loss(config, priority=priority))

    def _item(self, output: SlotOutput, schedule: Schedule, held: Held, wall: WallMs) -> Wrong | None:
        name = f"{output.item} of {schedule.scope}"
        item = next((one for one in schedule.items if one.id == output.item), None)
        if item is None or output.start is None:
            return "verified_source", f"{name} is not in the schedule in force"
        if not any(item.when.between(output.start, WallMs(output.start + 1))):
            return "verified_source", f"{name} does not begin at {output.start}"
        if not addresses(item.targets, held.place) or not may_speak(item, schedule.scope, held.place):
            return "verified_source", f"{name} is not for {held.place}"
        if _content_of(output) != _content_key(item):
            return "verified_source", f"{name} has another content"
        if output.rung is not _rung_of(item):
            return "ladder", f"{name} on rung {output.rung}"
        origin = output.origin if isinstance(output, ProgrammeOutput) else output.start
        if wall < origin - EARLY_MS:
            return "start", f"{name} begins {origin - wall} ms early"
        rest_ms = REST_MS if isinstance(output, StreamOutput) else TAIL_MS
        if wall > origin + item.content.duration_ms + rest_ms:
            return "verified_source", f"{name} goes on after its end"
        return None


def _rung_of(item: Item) -> Rung:
    if not isinstance(item.content, Programme):
        return Rung.FM_SLOT
    return Rung.PRIORITY if item.bulletin_class is BulletinClass.PRIORITY else Rung.ORDINARY


def _content_key(item: Item) -> object:
    content = item.content
    if isinstance(content, Programme):
        return content.media
    return content.frequency_khz if isinstance(content, Relay) else content.address


def _content_of(output: SlotOutput) -> object:
    if isinstance(output, ProgrammeOutput):
        return output.media
    return output.frequency_khz if isinstance(output, FmOutput) else output.address


def _fallback(output: FmOutput, config: AudibleConfig, wall: WallMs) -> Wrong | None:
    if config.fallback is not Fallback.FM or not in_any(config.fm_windows, wall):
        return "fm_gate", "FM fallback outside its signed window or against the policy"
    if all(one.frequency_khz != output.frequency_khz for one in config.fm_stations):
        return "fm_gate", f"{output.frequency_khz} kHz is not signed"
    return _loudness(output.attenuation_cdb, config.ordinary_attenuation_cdb)


def _loss(config: AudibleConfig, *, priority: bool) -> int:
    return config.priority_attenuation_cdb if priority else config.ordinary_attenuation_cdb


def _loudness(is_cdb: int, ought_cdb: int) -> Wrong | None:
    return None if is_cdb == ought_cdb else ("loudness", f"{is_cdb} cdB below full scale, signed {ought_cdb}")
