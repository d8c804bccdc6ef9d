"""Proof of sound (behaviour.md, section 7): what the sound path reports becomes as-run records and receipts.

The measured level is what counts as heard; sound that nobody ordered mutes the amplifier.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from edge.core import timeline
from edge.core.effects import MuteAmplifier
from edge.core.events import LevelMeasured, SoundEnded, SoundStarted
from edge.core.output import AlertOutput, FmOutput, LiveOutput, Output, ProgrammeOutput, Rung, Silence
from edge.core.sound import why_ended
from edge.core.state import AgentState, Occurrence, Progress
from edge.core.turn import Turn
from protocol.clock import MonoMs, WallMs
from protocol.limits import REPORT_LEVELS_MAX
from protocol.report import LEVEL_SILENCE_CDB, AsRun, EndReason, Level, Standing
from protocol.schedule import Schedule

AUDIBLE_CDB: Final = -6000
RETRY_MS: Final = 1000
LOUD_CDB: Final = -5000
LOUD_MS: Final = 2000
SETTLE_MS: Final = 2000


def started(turn: Turn, event: SoundStarted) -> None:
    """The first sample left."""
    output = turn.state.sound.told.get(event.key)
    turn.change(sound=replace(turn.state.sound, started=event.key))
    turn.hasten_status()
    for document, kind, item in _named_by(turn.state, output):
        if turn.once(f"sounding/{document}/{event.key}"):
            turn.receipt(document, kind, Standing.SOUNDING, item=item)


def _named_by(state: AgentState, output: Output | None) -> tuple[tuple[str, str, str | None], ...]:
    """Documents whose sound an output is: digest, kind, item."""
    if isinstance(output, AlertOutput):
        kinds = {one.digest: str(one.kind) for one in state.trust.documents.values()}
        return tuple((digest, kinds.get(digest, "alert"), None) for digest in (output.document, *output.others))
    if isinstance(output, ProgrammeOutput):
        return ((output.document, "schedule", output.item),)
    if isinstance(output, FmOutput) and output.document is not None:
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
    by_switch = event.reason is EndReason.SUPERSEDED
    reason = _reason_of_switch(turn, output) if by_switch else event.reason
    if not by_switch and event.key == sound.output.key:
        _became_silent(turn, event)
    lost_ms = _follow_progress(turn, output, event, reason) if isinstance(output, ProgrammeOutput) else 0
    _log(turn, output, event, reason=reason, lost_ms=lost_ms)
    if not isinstance(output, ProgrammeOutput):
        _tell_heard(turn, output, event.level_cdb, event.output_level_cdb)


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
    sound = replace(turn.state.sound, output=Silence(), output_since=turn.now.mono)
    if event.reason is EndReason.SOURCE_FAILED:
        sound = replace(sound, failed=(event.key, MonoMs(turn.now.mono + RETRY_MS)))
    turn.change(sound=sound)
    turn.hasten_status()


def _follow_progress(turn: Turn, output: ProgrammeOutput, event: SoundEnded, reason: EndReason) -> int:
    """Updates the occurrence; returns how much of it was lost before this part."""
    occurrence = timeline.occurrence_at(turn.state, output.item, output.start)
    if occurrence is None:
        return 0
    progress = turn.state.progress.get(occurrence.key, Progress(occurrence.end, output.origin))
    lost_ms = max(0, event.began - (progress.ended or output.origin))
    heard_ms = event.wall - event.began if is_audible(event.level_cdb, event.output_level_cdb) else 0
    finished = reason in (EndReason.COMPLETE, EndReason.STOPPED)
    progress = replace(
        progress,
        done=finished,
        heard_ms=progress.heard_ms + heard_ms,
        failures=progress.failures + (reason is EndReason.SOURCE_FAILED),
        ended=event.wall,
    )
    timeline.mark(turn, occurrence, progress)
    if finished:
        _tell_item(turn, occurrence, progress)
    return lost_ms


def _tell_item(turn: Turn, occurrence: Occurrence, progress: Progress) -> None:
    standing = Standing.HEARD if progress.heard_ms else Standing.UNHEARD
    turn.receipt(occurrence.document, "schedule", standing, item=occurrence.item.id)


def is_audible(level_cdb: int, output_level_cdb: int | None) -> bool:
    """Whether sound really came out: at the bus, and at the amplifier where the board measures it."""
    return level_cdb > AUDIBLE_CDB and (output_level_cdb is None or output_level_cdb > AUDIBLE_CDB)


def _log(turn: Turn, output: Output, event: SoundEnded, *, reason: EndReason, lost_ms: int) -> None:
    count = turn.state.as_run_count
    turn.change(as_run_count=count + 1)
    document, item, start = _cause(output)
    stop = turn.state.stop
    turn.report(
        AsRun(
            id=f"{turn.state.boot_id}-{count}",
            device=turn.state.identity.device,
            rung=int(output.rung),
            source=_source(output),
            began=event.began,
            ended=event.wall,
            end_reason=reason,
            level_cdb=event.level_cdb,
            output_level_cdb=event.output_level_cdb,
            document=document,
            item=item,
            start=start,
            lost_ms=lost_ms,
            stopped_by=stop.by if reason is EndReason.STOPPED and stop is not None else None,
        )
    )


def _cause(output: Output) -> tuple[str | None, str | None, WallMs | None]:
    if isinstance(output, ProgrammeOutput | FmOutput):
        return output.document, output.item, output.start
    if isinstance(output, AlertOutput | LiveOutput):
        return output.document, None, None
    return None, None, None


def _source(output: Output) -> str:
    if isinstance(output, ProgrammeOutput):
        return output.media.digest
    if isinstance(output, FmOutput):
        return f"fm {output.frequency_khz} kHz"
    return output.key.partition("/")[0]


def _tell_heard(turn: Turn, output: Output, level_cdb: int, output_level_cdb: int | None) -> None:
    if not is_audible(level_cdb, output_level_cdb):
        return
    for document, kind, item in _named_by(turn.state, output):
        if turn.once(f"heard/{document}/{output.key}"):
            turn.receipt(document, kind, Standing.HEARD, item=item)


def measured(turn: Turn, event: LevelMeasured) -> None:
    """Takes a second's level: the proof of sound, and of silence."""
    sound = turn.state.sound
    level = Level(event.wall, int(sound.output.rung), event.level_cdb)
    sound = replace(sound, level_cdb=event.level_cdb, levels=(*sound.levels, level)[-REPORT_LEVELS_MAX:])
    if is_audible(event.level_cdb, event.output_level_cdb):
        sound = replace(sound, quiet_since=turn.now.mono)
    turn.change(sound=sound)
    if isinstance(sound.output, AlertOutput) and sound.started == sound.output.key:
        _tell_heard(turn, sound.output, event.level_cdb, event.output_level_cdb)
    _watch_for_strangers(turn, event)


def _watch_for_strangers(turn: Turn, event: LevelMeasured) -> None:
    """Sound measured and none expected: stray FM, crackle, tampering. The amplifier is muted."""
    sound, mono = turn.state.sound, turn.now.mono
    settled = mono - sound.output_since > timeline.config_of(turn.state).amplifier_hold_ms + SETTLE_MS
    loud = event.output_level_cdb is not None and event.output_level_cdb > LOUD_CDB
    if not isinstance(sound.output, Silence) or not settled or not loud:
        turn.change(sound=replace(sound, loud_since=None))
        return
    since = sound.loud_since if sound.loud_since is not None else mono
    muted = sound.muted or mono - since >= LOUD_MS
    if muted and not sound.muted:
        turn.do(MuteAmplifier(True))
    turn.change(sound=replace(sound, loud_since=since, muted=muted))


def settle(turn: Turn) -> None:
    """Ends occurrences whose time has passed: what was not heard to its end is told and logged as lost."""
    if not turn.clock_believed or turn.state.plan is None:
        return
    for occurrence in turn.state.plan.occurrences:
        if occurrence.start > turn.now.wall:
            return
        if timeline.rung_of(occurrence) is not Rung.FM_SLOT:
            _settle_one(turn, occurrence)


def _settle_one(turn: Turn, occurrence: Occurrence) -> None:
    progress = turn.state.progress.get(occurrence.key)
    if progress is None:
        if turn.now.wall >= occurrence.end + SETTLE_MS and _was_expected(turn.state, occurrence):
            _lose(turn, occurrence, Progress(WallMs(occurrence.end + timeline.PROGRESS_KEPT_MS)))
        return
    if progress.done or progress.origin is None:
        return
    over = turn.now.wall >= progress.origin + occurrence.item.content.duration_ms + SETTLE_MS
    sounding = turn.state.sound.output
    if over and not (isinstance(sounding, ProgrammeOutput) and sounding.item == occurrence.item.id):
        _lose(turn, occurrence, progress)


def _was_expected(state: AgentState, occurrence: Occurrence) -> bool:
    """It was in force when it should have begun; schedules that came later do not count as missed."""
    documents = (one.document for one in state.trust.documents.values() if one.digest == occurrence.document)
    return any(isinstance(one, Schedule) and one.issued <= occurrence.start for one in documents)


def _lose(turn: Turn, occurrence: Occurrence, progress: Progress) -> None:
    timeline.mark(turn, occurrence, replace(progress, done=True))
    _tell_item(turn, occurrence, progress)
    origin = progress.origin if progress.origin is not None else occurrence.start
    end = WallMs(origin + occurrence.item.content.duration_ms)
    count = turn.state.as_run_count
    turn.change(as_run_count=count + 1)
    turn.report(
        AsRun(
            id=f"{turn.state.boot_id}-{count}",
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
