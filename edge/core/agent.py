"""The agent's decisions as one pure function: `step(state, event, now) -> Decision`.

It knows no clock, socket, file, thread or random number; the same state, event and present give the same decision on
any machine. What must survive a power cut is saved before any other effect of the same decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from edge.core import (
    clock_trust,
    deadlines,
    downloads,
    failing,
    fm_gate,
    guarding,
    health,
    live,
    message,
    plan,
    proof,
    registers,
    restoration,
    root,
    sound,
    status,
    timeline,
    trust,
    withheld,
)
from edge.core.at_hand import StopMark, Talk
from edge.core.change import replace
from edge.core.effects import Effect, Relocate, SaveState
from edge.core.events import (
    AttestationReceived,
    Booted,
    CardChanged,
    ClockRead,
    EnvelopeReceived,
    Event,
    FmSignalMeasured,
    LevelMeasured,
    LinkChanged,
    LiveSegmentReceived,
    MediaFailed,
    MediaLost,
    MediaStored,
    MessagePressed,
    ParcelReceived,
    PartJudged,
    RootReceived,
    RootRefused,
    SoundEnded,
    SoundFailing,
    SoundRecovered,
    SoundStarted,
    StateSaveFailed,
    StopPressed,
    TalkPressed,
    TalkReleased,
    Ticked,
)
from edge.core.state import AgentState, Calm, Identity
from edge.core.turn import Turn
from protocol.clock import MonoMs, Now, WallMs
from protocol.errors import DocumentError

LOCAL_STOP_MS: Final = 15 * 60_000
UNSAVED_MS: Final = 500
"""So long after a failed save nothing is begun that would have to be stored first."""
_PAPERS: Final = (Booted, EnvelopeReceived, ParcelReceived, LiveSegmentReceived, RootReceived)
"""What these change counts once it is stored, and not before."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an event.

    Attributes:
        effects: to be carried out in their order; a SaveState comes first and must be durable before the others.
        wake_at: when to send `Ticked`, if nothing happens before.
    """

    state: AgentState
    effects: tuple[Effect, ...]
    wake_at: MonoMs | None


def initial(identity: Identity) -> AgentState:
    """The state before the first event, which is `Booted`."""
    return AgentState(identity)


def step(state: AgentState, event: Event, now: Now) -> Decision:
    """Decides. Never raises for bad input: a refusal is a receipt."""
    turn = _taken(state, event, now)
    if _is_usual(turn, state, event) and deadlines.is_calm(turn.state, turn.now):
        status.tell(turn)
        return Decision(turn.state, tuple(turn.effects), deadlines.wake_at(turn.state, turn.now))
    return _concluded(turn, state, event)


def whole_step(state: AgentState, event: Event, now: Now) -> Decision:
    """Decides as `step`, and looks at everything although nothing may have changed: what `step` is held against."""
    return _concluded(_taken(state, event, now), state, event)


def _taken(state: AgentState, event: Event, now: Now) -> Turn:
    turn = Turn(state, clock_trust.believed(state.clock, now))
    _HANDLERS[type(event)](turn, event)
    turn.now = clock_trust.believed(turn.state.clock, now)
    sound.shift_wall(turn, turn.now.wall - now.wall)
    return turn


def _concluded(turn: Turn, before: AgentState, event: Event) -> Decision:
    unsaved = turn.state.unsaved
    if unsaved is None:
        return _decided(turn, before)
    if turn.now.mono - unsaved < UNSAVED_MS and not (isinstance(event, _PAPERS) and turn.dirty):
        return _bare(turn, MonoMs(unsaved + UNSAVED_MS))
    turn.change(unsaved=None)
    turn.dirty = True
    return _decided(turn, before)


def _bare(turn: Turn, again: MonoMs) -> Decision:
    """Nothing can be stored just now: what happened is known all the same, and what must end does.

    A talk button that was let go of, an emergency whose time is over: none of that may wait for a card. What the card
    does not have yet is stored with the first save that succeeds.
    """
    _watch_talk(turn)
    message.watch(turn)
    sound.conduct_unsaved(turn)
    health.tell(turn)
    status.tell(turn)
    turn.change(calm=None)
    return Decision(turn.state, tuple(turn.effects), again)


def _decided(turn: Turn, before: AgentState) -> Decision:
    _attend(turn, before)
    until = deadlines.horizon(turn.state, turn.now)
    turn.change(calm=Calm(until, turn.now.mono, turn.now.wall - turn.now.mono, turn.now.clock))
    effects = tuple(turn.effects)
    if turn.dirty:
        saved = SaveState(registers.pack(turn.state), tuple(turn.put.values()), tuple(sorted(turn.drop)))
        effects = (saved, *effects)
    return Decision(turn.state, effects, deadlines.wake_at(turn.state, turn.now))


def _is_usual(turn: Turn, before: AgentState, event: Event) -> bool:
    """Whether an event tells what is expected anyway: then all is as it was when everything was last looked at."""
    if turn.effects or turn.dirty:
        return False
    if isinstance(event, LevelMeasured):
        return proof.is_usual(before, turn.state)
    if isinstance(event, FmSignalMeasured):
        return fm_gate.is_usual(before, turn.state)
    return turn.state is before or isinstance(event, ClockRead)


def _attend(turn: Turn, before: AgentState) -> None:
    """What follows from every event, in this order."""
    clock_trust.ask(turn)
    trust.take_deferred(turn)
    trust.drop_expired(turn)
    withheld.watch(turn, before)
    _watch_talk(turn)
    message.watch(turn)
    _watch_stick(turn)
    live.watch(turn)
    plan.refresh(turn)
    restoration.catch_up(turn)
    fm_gate.attend(turn)
    sound.conduct(turn)
    proof.settle(turn)
    _follow_media(turn, before)
    guarding.watch(turn)
    health.tell(turn)
    status.tell(turn)


def _follow_media(turn: Turn, before: AgentState) -> None:
    """What is fetched, told as ready and deleted follows from the documents and the media, not from the hour."""
    after = turn.state
    new_documents = before.force is not after.force or (before.plan is None) is not (after.plan is None)
    if new_documents or before.media - after.media:
        downloads.request(turn)
    if new_documents or before.media is not after.media:
        downloads.tell_ready(turn)
        downloads.tidy(turn)


def _booted(turn: Turn, event: Booted) -> None:
    damaged, enrolled = event.damaged, turn.state.identity.place
    turn.change(boot_id=event.boot_id, booted=turn.now.mono, media=frozenset(event.media))
    if event.registers is not None:
        try:
            turn.state = registers.unpack(turn.state, event.registers)
        except DocumentError:
            damaged = True
    damaged = restoration.restore(turn, event.envelopes) or damaged
    turn.change(state_damaged=damaged)
    if turn.state.identity.place != enrolled:
        turn.do(Relocate(turn.state.identity.place))


def _ticked(turn: Turn, _: Ticked) -> None:
    failed = turn.state.sound.failed
    if failed is not None and turn.now.mono >= failed[1] + proof.RETRY_MS * 10:
        turn.change(sound=replace(turn.state.sound, failed=None))


def _link_changed(turn: Turn, event: LinkChanged) -> None:
    turn.change(link_up=event.up)
    turn.hasten_status()
    if event.up:
        turn.change(clock=replace(turn.state.clock, asked=None))


def _talk_pressed(turn: Turn, event: TalkPressed) -> None:
    if not turn.state.talk_stuck:
        turn.change(talk=Talk(turn.now.mono, event.emergency))


def _talk_released(turn: Turn, _: TalkReleased) -> None:
    turn.change(talk=None, talk_stuck=False)


def _watch_talk(turn: Turn) -> None:
    """A stuck talk button ends after its cap, with a fault, until it is released."""
    talk = turn.state.talk
    if talk is not None and turn.now.mono - talk.since >= timeline.config_of(turn.state).talk_ms_max:
        turn.change(talk=None, talk_stuck=True)


def _watch_stick(turn: Turn) -> None:
    """The lamps have answered whoever put the stick in."""
    stick = turn.state.stick
    if stick is not None and turn.now.mono >= stick.at + deadlines.STICK_SHOWN_MS:
        turn.change(stick=None)


def _stop_pressed(turn: Turn, _: StopPressed) -> None:
    message.end(turn)
    former, mark = turn.state.stop, StopMark(WallMs(turn.now.wall + LOCAL_STOP_MS), message.PANEL)
    if former is None or former.until < mark.until:
        turn.change(stop=mark)
        turn.dirty = True


def _card_changed(turn: Turn, event: CardChanged) -> None:
    turn.change(sound=replace(turn.state.sound, card_present=event.present))
    turn.hasten_status()


def _save_failed(turn: Turn, _: StateSaveFailed) -> None:
    turn.change(storage_full_since=turn.now.mono, unsaved=turn.now.mono)


_HANDLERS: Final[dict[type[Event], Callable[[Turn, Any], None]]] = {
    Booted: _booted,
    Ticked: _ticked,
    LinkChanged: _link_changed,
    EnvelopeReceived: lambda turn, event: trust.receive(turn, event.data, event.route),
    ParcelReceived: lambda turn, event: trust.receive_parcel(turn, event.data, event.route),
    LiveSegmentReceived: lambda turn, event: live.receive(turn, event.data),
    AttestationReceived: clock_trust.take_attestation,
    RootReceived: root.take_root,
    RootRefused: root.tell_refused,
    ClockRead: clock_trust.read_source,
    MediaStored: lambda turn, event: downloads.stored(turn, event.digest),
    MediaFailed: downloads.failed,
    MediaLost: lambda turn, event: downloads.lost(turn, event.digest),
    TalkPressed: _talk_pressed,
    TalkReleased: _talk_released,
    StopPressed: _stop_pressed,
    MessagePressed: message.press,
    PartJudged: health.judged,
    FmSignalMeasured: fm_gate.observe,
    SoundStarted: proof.started,
    SoundEnded: proof.ended,
    SoundFailing: failing.failing,
    SoundRecovered: failing.recovered,
    LevelMeasured: proof.measured,
    CardChanged: _card_changed,
    StateSaveFailed: _save_failed,
}
