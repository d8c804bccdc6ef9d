"""Proof of sound (behaviour.md, section 7): what the sound path reports becomes as-run records and receipts.

The measured level is what counts as heard; sound that nobody ordered mutes the amplifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge.core import as_run, fm_gate, lineup, live, message, plan, relays, timeline
from edge.core.change import replace
from edge.core.effects import MuteAmplifier
from edge.core.events import LevelMeasured, SoundEnded, SoundStarted
from edge.core.output import (
    AlertOutput,
    FmOutput,
    LiveOutput,
    MessageOutput,
    Output,
    ProgrammeOutput,
    Silence,
    SlotOutput,
    StreamOutput,
)
from edge.core.sound import newest, why_ended
from edge.core.state import AgentState, Occurrence, Progress
from edge.core.turn import Turn
from protocol.clock import MonoMs, WallMs
from protocol.limits import REPORT_LEVELS_MAX
from protocol.report import LEVEL_SILENCE_CDB, AsRun, EndReason, FaultCode, Level, Standing
from protocol.schedule import Schedule

AUDIBLE_CDB: Final = -6000
RETRY_MS: Final = 1000
LOUD_CDB: Final = -5000
LOUD_MS: Final = 2000
SETTLE_MS: Final = 2000


def started(turn: Turn, event: SoundStarted) -> None:
    """The first sample left."""
    output = turn.state.sound.told.get(event.key)
    begun = newest(turn.state.sound.begun, event.key, event.wall)
    turn.change(sound=replace(turn.state.sound, started=event.key, begun=begun))
    turn.hasten_status()
    for document, kind, item in _named_by(turn.state, output):
        if turn.once(f"sounding/{document}/{item}/{getattr(output, 'start', None)}"):
            turn.receipt(document, kind, Standing.SOUNDING, item=item)


def _named_by(state: AgentState, output: Output | None) -> tuple[tuple[str, str, str | None], ...]:
    """Documents whose sound an output is: digest, kind, item."""
    if isinstance(output, AlertOutput):
        kinds = {one.digest: str(one.kind) for one in state.trust.documents.values()}
        return tuple((digest, kinds.get(digest, "alert"), None) for digest in (output.document, *output.others))
    if isinstance(output, ProgrammeOutput):
        return ((output.document, "schedule", output.item),)
    if isinstance(output, FmOutput | StreamOutput) and output.document is not None:
        return ((output.document, "schedule", output.item),)
    if isinstance(output, LiveOutput):
        return ((output.document, "live-session", None),)
    return ()


def ended(turn: Turn, event: SoundEnded) -> None:
    """An output's sound is over: it goes on the as-run log with its measured level."""
    sound = turn.state.sound
    output = sound.told.get(event.key)
    if output is None or isinstance(output, Silence):
        return
    event = _of_a_goodbye(turn, output, _since_it_began(turn, event))
    by_switch = event.reason is EndReason.SUPERSEDED
    reason = _reason_of_switch(turn, output) if by_switch else event.reason
    if not by_switch:
        _came_to_its_end(turn, output, event)
    lost_ms = _follow_item(turn, output, event, reason)
    as_run.log(turn, output, event, reason=reason, lost_ms=lost_ms)
    _tell_heard(turn, output, event.level_cdb, event.output_level_cdb)


def _since_it_began(turn: Turn, event: SoundEnded) -> SoundEnded:
    """The clock may have been set while it sounded: its beginning was told when it was.

    What the same sound tells next is of another part, or of one that never began.
    """
    begun = {key: wall for key, wall in turn.state.sound.begun.items() if key != event.key}
    began = turn.state.sound.begun.get(event.key, event.began)
    turn.change(sound=replace(turn.state.sound, begun=begun))
    return replace(event, began=min(began, event.wall))


def _of_a_goodbye(turn: Turn, output: Output, event: SoundEnded) -> SoundEnded:
    """A session that said goodbye has come to its end when nothing more of it is held."""
    goodbye = isinstance(output, LiveOutput) and live.has_ended(turn.state, output.session_id)
    failed = event.reason is EndReason.SOURCE_FAILED
    return replace(event, reason=EndReason.COMPLETE) if goodbye and failed else event


def _came_to_its_end(turn: Turn, output: Output, event: SoundEnded) -> None:
    playing = turn.state.message
    if isinstance(output, MessageOutput) and playing is not None and playing.since == output.pressed:
        message.end(turn)
    if isinstance(output, StreamOutput):
        relays.rest(turn, event.key)
        _forget_plan(turn, event.key)
    if isinstance(output, LiveOutput) and event.reason is EndReason.COMPLETE:
        live.is_over(turn, output.session_id)
    if event.key == turn.state.sound.output.key:
        _became_silent(turn, event)


def _forget_plan(turn: Turn, key: str) -> None:
    """What was to begin could not be opened."""
    sound = turn.state.sound
    if sound.planned is not None and sound.planned[0].key == key:
        turn.change(sound=replace(sound, planned=None))


def _reason_of_switch(turn: Turn, output: Output) -> EndReason:
    """Why it gave way; a planned successor may report its start before its second has been looked at here."""
    sound = turn.state.sound
    reason = sound.endings.get(output.key)
    if reason is not None:
        endings = {key: one for key, one in sound.endings.items() if key != output.key}
        turn.change(sound=replace(sound, endings=endings))
        return reason
    return EndReason.SUPERSEDED if sound.planned is None else why_ended(turn, output, sound.planned[0])


def _became_silent(turn: Turn, event: SoundEnded) -> None:
    sound = turn.state.sound
    broken = event.reason is EndReason.SOURCE_FAILED
    rests = isinstance(sound.output, StreamOutput)
    failed = (event.key, MonoMs(turn.now.mono + RETRY_MS)) if broken and not rests else sound.failed
    turn.change(sound=replace(sound, output=Silence(), output_since=turn.now.mono, failed=failed))
    if broken and isinstance(sound.output, FmOutput):
        fm_gate.break_off(turn, sound.output.frequency_khz)
    turn.hasten_status()


def _follow_item(turn: Turn, output: Output, event: SoundEnded, reason: EndReason) -> int:
    """Updates the occurrence; returns how much of it was lost before this part."""
    if not isinstance(output, SlotOutput) or output.document is None:
        return 0
    occurrence = timeline.occurrence_of(turn.state, output)
    if occurrence is None:
        if reason is EndReason.CANCELLED:
            turn.receipt(output.document, "schedule", Standing.CANCELLED, item=output.item)
        return 0
    origin = output.origin if isinstance(output, ProgrammeOutput) else occurrence.start
    progress = turn.state.progress.get(occurrence.key, Progress(_kept_until(occurrence), origin))
    lost_ms = max(0, event.began - (progress.ended or origin))
    _end_part(turn, occurrence, progress, event, reason=reason)
    return lost_ms


def _end_part(turn: Turn, occurrence: Occurrence, former: Progress, event: SoundEnded, *, reason: EndReason) -> None:
    heard_ms = event.wall - event.began if is_audible(event.level_cdb, event.output_level_cdb) else 0
    slot_over = timeline.is_relay(occurrence) and event.wall >= occurrence.end - SETTLE_MS
    progress = replace(
        former,
        done=former.done or slot_over or reason in (EndReason.COMPLETE, EndReason.STOPPED),
        heard_ms=former.heard_ms + max(0, heard_ms),
        failures=former.failures + (reason is EndReason.SOURCE_FAILED),
        ended=event.wall,
    )
    plan.mark(turn, occurrence, progress)
    if progress.done and not former.done:
        _tell_item(turn, occurrence, progress)


def _kept_until(occurrence: Occurrence) -> WallMs:
    return WallMs(occurrence.end + lineup.KEPT_MS)


def _tell_item(turn: Turn, occurrence: Occurrence, progress: Progress) -> None:
    standing = Standing.HEARD if progress.heard_ms else Standing.UNHEARD
    turn.receipt(occurrence.document, "schedule", standing, item=occurrence.item.id)


def is_audible(level_cdb: int, output_level_cdb: int | None) -> bool:
    """Whether sound really came out: at the bus, and at the amplifier where the board measures it."""
    return level_cdb > AUDIBLE_CDB and (output_level_cdb is None or output_level_cdb > AUDIBLE_CDB)


def _tell_heard(turn: Turn, output: Output, level_cdb: int, output_level_cdb: int | None) -> None:
    """Of an item it is told when all of it is over, with its occurrence."""
    if not is_audible(level_cdb, output_level_cdb):
        return
    for document, kind, item in _named_by(turn.state, output):
        if item is None and turn.once(f"heard/{document}"):
            turn.receipt(document, kind, Standing.HEARD)


def measured(turn: Turn, event: LevelMeasured) -> None:
    """Takes a second's level: the proof of sound, and of silence."""
    sound = turn.state.sound
    level = Level(event.wall, int(sound.output.rung), event.level_cdb)
    quiet_since = turn.now.mono if is_audible(event.level_cdb, event.output_level_cdb) else sound.quiet_since
    levels = (*sound.levels, level)[-REPORT_LEVELS_MAX:]
    turn.change(sound=replace(sound, level_cdb=event.level_cdb, levels=levels, quiet_since=quiet_since))
    if isinstance(sound.output, AlertOutput) and sound.started == sound.output.key:
        _tell_heard(turn, sound.output, event.level_cdb, event.output_level_cdb)
    _watch_for_strangers(turn, event)


def is_usual(before: AgentState, after: AgentState) -> bool:
    """Whether a level changed nothing that anybody is waiting for."""
    former, sound = before.sound, after.sound
    heard = isinstance(sound.output, Silence) or sound.quiet_since != former.quiet_since
    strange = sound.loud_since is not None or former.loud_since is not None or sound.muted
    return heard and not strange and FaultCode.SOUND_MISSING not in before.faults


def _watch_for_strangers(turn: Turn, event: LevelMeasured) -> None:
    """Sound measured and none expected: stray FM, crackle, tampering. The amplifier is muted."""
    sound, mono = turn.state.sound, turn.now.mono
    settled = mono - sound.output_since > timeline.config_of(turn.state).amplifier_hold_ms + SETTLE_MS
    loud = event.output_level_cdb is not None and event.output_level_cdb > LOUD_CDB
    if not isinstance(sound.output, Silence) or not settled or not loud:
        if sound.loud_since is not None:
            turn.change(sound=replace(sound, loud_since=None))
        return
    since = sound.loud_since if sound.loud_since is not None else mono
    muted = sound.muted or mono - since >= LOUD_MS
    if muted and not sound.muted:
        turn.do(MuteAmplifier(True))
    turn.change(sound=replace(sound, loud_since=since, muted=muted))


def settle(turn: Turn) -> None:
    """Ends occurrences whose time has passed: what was not heard to its end is told and logged as lost."""
    over = list(_over(turn.state, turn.now.wall))
    for occurrence in over:
        progress = turn.state.progress.get(occurrence.key)
        if progress is not None or _was_expected(turn.state, occurrence):
            lose(turn, occurrence, progress or Progress(_kept_until(occurrence)))
    plan.close(turn, over)


def _over(state: AgentState, wall: WallMs) -> Iterator[Occurrence]:
    for occurrence in state.plan.open if state.plan is not None else ():
        if occurrence.start > wall:
            return
        if wall >= settles_at(occurrence, state.progress.get(occurrence.key)):
            yield occurrence


def settles_at(occurrence: Occurrence, progress: Progress | None) -> WallMs:
    """When the last of an occurrence must have sounded."""
    origin = occurrence.start
    if progress is not None:
        origin = progress.origin or progress.turn or origin
    return WallMs(origin + occurrence.item.content.duration_ms + SETTLE_MS)


def _was_expected(state: AgentState, occurrence: Occurrence) -> bool:
    """It was in force when it should have begun; schedules that came later do not count as missed."""
    documents = (one.document for one in state.trust.documents.values() if one.digest == occurrence.document)
    return any(isinstance(one, Schedule) and one.issued <= occurrence.start for one in documents)


def lose(turn: Turn, occurrence: Occurrence, progress: Progress) -> None:
    """It is over; what of it was not heard is on the log."""
    plan.mark(turn, occurrence, replace(progress, done=True))
    _tell_item(turn, occurrence, progress)
    origin = progress.origin or progress.turn or occurrence.start
    end = WallMs(origin + occurrence.item.content.duration_ms)
    count = turn.state.as_run_count
    turn.change(as_run_count=count + 1)
    turn.report(
        AsRun(
            id=f"{turn.state.boot_id}-{count}-{end}",
            device=turn.state.identity.device,
            rung=int(timeline.rung_of(occurrence)),
            source="lost",
            began=end,
            ended=end,
            end_reason=EndReason.INTERRUPTED,
            level_cdb=LEVEL_SILENCE_CDB,
            document=occurrence.document,
            item=occurrence.item.id,
            start=occurrence.start,
            lost_ms=max(0, end - (progress.ended or origin)),
        )
    )
