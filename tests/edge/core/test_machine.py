"""Any story at all: events drawn by Hypothesis, and the rules of the horn that hold after each of them.

The invariants are those of behaviour.md; each names the rule it holds.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.core import clock_trust, lineup, timeline
from edge.core.agent import initial
from edge.core.effects import ArmGuardian, SaveState
from edge.core.events import (
    BoardPart,
    EnvelopeReceived,
    LinkChanged,
    MediaLost,
    MessagePressed,
    ParcelReceived,
    PartJudged,
    Route,
    StopPressed,
    TalkPressed,
    TalkReleased,
)
from edge.core.output import (
    AlertOutput,
    FmOutput,
    LiveOutput,
    MessageOutput,
    MicrophoneOutput,
    ProgrammeOutput,
    Rung,
    Silence,
    StreamOutput,
)
from edge.core.registers import unpack
from protocol.alert import Alert
from protocol.audible_config import Fallback, Station, StoredMessage, Window, in_any
from protocol.bulletin import BulletinClass, CatchUp
from protocol.clock import DAY_S, ClockTrust, Now, local_second
from protocol.document import Kind
from protocol.report import Receipt, Standing
from protocol.schedule import Relay
from protocol.stream import StreamRelay
from simulators.desk import Desk
from tests.edge.core.office import (
    COMMUNE,
    IDENTITY,
    OTHER_KEY,
    PROVINCE,
    Office,
    media,
    sign_document,
)
from tests.edge.core.test_ladder import SESSION_KEY, speak

STREAM = "https://radio.vn/vov1"
MESSAGE = StoredMessage(1, "Mời họp", media("loi-nhan", 20_000))
STATION = Station(97_100, "Cần Thơ", "A1B2")
NAMES = [f"tin-{number}" for number in range(6)]
CLASSES = st.sampled_from(BulletinClass)


class Horn(RuleBasedStateMachine):
    """One device, its commune and its province, and everything that happens to them."""

    @initialize(hour=st.integers(0, 23))
    def begin(self, hour: int) -> None:
        self.desk = Desk(IDENTITY)
        self.desk.offset += (hour * 3600 - local_second(self.desk.wall)) * 1000
        self.desk.boot()
        self.office = Office(self.desk)
        self.office.give_grants()
        self.versions: dict[str, int] = {}
        self.alert: Alert | None = None
        self.session = ""
        self.counter = 0
        self.stepped_ms = 0

    # Time and power

    @rule(seconds=st.integers(1, 300))
    def time_passes(self, seconds: int) -> None:
        self.desk.advance(seconds * 1000)

    @rule(off_s=st.integers(0, 300), clock=st.booleans())
    def power_is_cut(self, off_s: int, clock: bool) -> None:
        self.desk.cut_power(off_ms=off_s * 1000)
        self.desk.boot(clock=clock)

    @rule(step_s=st.integers(-7200, 7200))
    def system_clock_steps(self, step_s: int) -> None:
        self.desk.offset += step_s * 1000
        self.stepped_ms += abs(step_s) * 1000

    @rule()
    def clock_is_believed(self) -> None:
        self.desk.believe()

    @rule(up=st.booleans())
    def link_changes(self, up: bool) -> None:
        self.desk.send(LinkChanged(up))

    # People

    @rule(emergency=st.booleans())
    def talk_is_pressed(self, emergency: bool) -> None:
        self.desk.send(TalkPressed(emergency))

    @rule()
    def talk_is_released(self) -> None:
        self.desk.send(TalkReleased())

    @rule(number=st.integers(1, 2))
    def message_button_is_pressed(self, number: int) -> None:
        self.desk.send(MessagePressed(number))

    @rule()
    def stop_is_pressed(self) -> None:
        self.desk.send(StopPressed())

    @rule(
        picks=st.lists(
            st.tuples(st.sampled_from(NAMES), st.integers(-600, 3600), CLASSES, st.sampled_from(CatchUp)),
            max_size=4,
            unique_by=lambda pick: pick[0],
        ),
        above=st.booleans(),
        relay=st.sampled_from([None, Relay(97_100, 300_000, "A1B2"), StreamRelay(STREAM, 300_000)]),
    )
    def schedule_is_published(
        self, picks: list[tuple[str, int, BulletinClass, CatchUp]], above: bool, relay: Relay | StreamRelay | None
    ) -> None:
        items = [
            self.office.item(name, in_s * 1000, bulletin_class=kind, catch_up=policy, duration_ms=90_000)
            for name, in_s, kind, policy in picks
        ]
        if relay is not None:
            items.append(self.office.item("tiep-am", 60_000, content=relay))
        self.office.publish(*items, scope=PROVINCE if above else COMMUNE)

    @rule(begin_s=st.integers(0, DAY_S - 1), length_s=st.integers(60, 40_000), fallback=st.sampled_from(Fallback))
    def configuration_is_published(self, begin_s: int, length_s: int, fallback: Fallback) -> None:
        quiet = Window(begin_s, (begin_s + length_s) % DAY_S)
        self.office.configure(
            quiet_hours=(quiet,),
            fm_stations=(STATION,),
            fm_windows=(Window(0, DAY_S),),
            fallback=fallback,
            on_computer_dead=fallback,
            messages=(MESSAGE,),
        )

    @rule(severity=st.integers(1, 4), kind=st.sampled_from([Kind.ALERT, Kind.ALERT_DRILL, Kind.ALERT_TEST]))
    def alert_is_sent(self, severity: int, kind: Kind) -> None:
        self.alert = self.office.alarm(kind, severity=severity)

    @precondition(lambda self: self.alert is not None)
    @rule()
    def alert_is_cancelled(self) -> None:
        assert self.alert is not None
        self.office.cancel(self.alert)

    @rule(for_s=st.integers(1, 3600))
    def programmes_are_stopped(self, for_s: int) -> None:
        self.office.stop(for_s * 1000)

    @rule(kind=CLASSES)
    def live_session_begins(self, kind: BulletinClass) -> None:
        self.session = self.office.live(SESSION_KEY, bulletin_class=kind).id
        self.counter = 0

    @precondition(lambda self: self.session)
    @rule()
    def someone_speaks_live(self) -> None:
        for _ in range(5):
            speak(self.desk, self.session, self.counter)
            self.counter += 1
            self.desk.advance(200)

    # The world and its attackers

    @rule(rssi=st.integers(0, 70), pi=st.sampled_from(["A1B2", "C0DE", None]))
    def station_changes(self, rssi: int, pi: str | None) -> None:
        self.desk.signals[97_100] = (rssi, pi)

    @rule(dead=st.booleans())
    def web_radio_changes(self, dead: bool) -> None:
        if dead:
            self.desk.dead_streams.add(STREAM)
        else:
            self.desk.dead_streams.clear()

    @precondition(lambda self: isinstance(self.desk.sound.output, StreamOutput))
    @rule(for_ms=st.integers(0, 1000))
    def web_radio_falls_silent(self, for_ms: int) -> None:
        self.desk.fall_silent()
        self.desk.advance(for_ms)
        if isinstance(self.desk.sound.output, StreamOutput):
            self.desk.go_on()

    @rule(part=st.sampled_from(BoardPart), healthy=st.booleans())
    def part_is_judged(self, part: BoardPart, healthy: bool) -> None:
        self.desk.send(PartJudged(part, healthy))

    @rule(name=st.sampled_from(NAMES), lost=st.booleans())
    def media_comes_or_goes(self, name: str, lost: bool) -> None:
        digest = media(name, 90_000).digest
        if lost:
            self.desk.reachable = frozenset()
            self.desk.media.discard(digest)
            self.desk.send(MediaLost(digest))
        else:
            self.desk.reachable = None

    @rule()
    def source_breaks(self) -> None:
        self.desk.break_source()

    @rule(data=st.binary(max_size=200), parcel=st.booleans())
    def junk_arrives(self, data: bytes, parcel: bool) -> None:
        self.desk.send(ParcelReceived(data, Route.DOC) if parcel else EnvelopeReceived(data, Route.ALERT))

    @rule()
    def thief_sends_an_alert(self) -> None:
        self.office.give(sign_document(Kind.ALERT, self.office.alert(id="thief"), OTHER_KEY), Route.ALERT)

    @precondition(lambda self: self.office.sent)
    @rule(data=st.data())
    def anything_sent_is_replayed(self, data: st.DataObject) -> None:
        envelope = data.draw(st.sampled_from(self.office.sent))
        self.desk.send(EnvelopeReceived(envelope.pack(), Route.HTTP))

    # The rules of the horn

    @invariant()
    def chosen_is_told(self) -> None:
        """The sound path sounds what the ladder chose, or is about to, within 200 ms."""
        self.desk.advance(200)
        assert self.desk.sound.output.key in (self.desk.state.sound.output.key, "silence")

    @invariant()
    def nothing_by_a_guessed_hour(self) -> None:
        """Section 5: without a believed clock only the microphone sounds."""
        if self._now().clock is ClockTrust.NONE:
            assert isinstance(self.desk.state.sound.output, Silence | MicrophoneOutput | MessageOutput)

    @invariant()
    def quiet_hours_are_kept(self) -> None:
        """Section 1: below the microphone nothing sounds in quiet hours."""
        now = self._now()
        quiet = now.clock > ClockTrust.NONE and in_any(timeline.config_of(self.desk.state).quiet_hours, now.wall)
        assert not quiet or self.desk.state.sound.output.rung <= Rung.MICROPHONE or self._is_silent()

    @invariant()
    def every_sound_has_a_verified_source(self) -> None:
        """trust.md: each output names a document in force; no thief is ever heard."""
        output = self.desk.state.sound.output
        held = {one.digest for one in self.desk.state.trust.documents.values()}
        if isinstance(output, AlertOutput | LiveOutput):
            assert output.document in held
        if isinstance(output, StreamOutput):
            assert output.address == STREAM and output.document in held
        if isinstance(output, MessageOutput):
            assert output.media == MESSAGE.media and MESSAGE.media.digest in self.desk.state.media
        if isinstance(output, AlertOutput):
            assert output.alert_id != "thief"
        if isinstance(output, ProgrammeOutput):
            assert output.media.digest in self.desk.state.media or self.desk.sound.output.key == output.key

    @invariant()
    def fm_is_a_gate(self) -> None:
        """Section 4: FM sounds only on the signed frequency while its gate is open."""
        if isinstance(self.desk.state.sound.output, FmOutput):
            assert self.desk.state.sound.output.frequency_khz == 97_100
            assert self.desk.state.fm.opened is not None
            assert self.desk.state.fm.pi == "A1B2"

    @invariant()
    def stop_holds(self) -> None:
        """Section 2: stop-now silences rungs 4 to 8."""
        if self.desk.state.stop is not None and self._now().clock > ClockTrust.NONE:
            assert self.desk.state.sound.output.rung <= Rung.MICROPHONE or self._is_silent()

    @invariant()
    def emergency_sounds(self) -> None:
        """Section 1: while an actual alert is in force, rung 1 or 2 sounds."""
        now = self._now()
        actual = [one for one in self.desk.state.trust.documents.values() if one.kind is Kind.ALERT]
        lasting = [one for one in actual if isinstance(one.document, Alert) and one.document.expires > now.wall]
        broken = self.desk.state.sound.failed is not None
        if lasting and now.clock > ClockTrust.NONE and not broken:
            assert self.desk.state.sound.output.rung <= Rung.EMERGENCY

    @invariant()
    def versions_never_fall(self) -> None:
        """trust.md: high-waters only rise, also over power cuts."""
        for name, version in self.versions.items():
            assert self.desk.state.trust.versions.get(name, -1) >= version
        self.versions = dict(self.desk.state.trust.versions)

    @invariant()
    def occurrences_play_at_most_once(self) -> None:
        """Section 5: what was heard to its end does not begin again."""
        spans: dict[tuple[str, int], int] = {}
        for begin, end, output in self.desk.sound.spans:
            if isinstance(output, ProgrammeOutput) and output.origin == output.start:
                name = (output.item, output.start)
                spans[name] = spans.get(name, 0) + end - begin
        assert all(total <= 90_000 + self.stepped_ms + 1000 for total in spans.values())

    @invariant()
    def no_gap(self) -> None:
        """Sections 1 and 2: what is playable and due sounds within 200 ms, or something above it."""
        self.desk.advance(200)
        state, now = self.desk.state, self._now()
        quiet = in_any(timeline.config_of(state).quiet_hours, now.wall)
        if now.clock is ClockTrust.NONE or quiet or state.stop is not None or state.sound.failed is not None:
            return
        for rung in (Rung.PRIORITY, Rung.ORDINARY):
            playable = [one for _, one in timeline.due(state, rung, now) if timeline.has_media(state, one)]
            assert not playable or self.desk.sound.output.rung <= rung

    @invariant()
    def final_receipts_come_once(self) -> None:
        """Section 7: an occurrence that is over is told once, whatever became of it."""
        told = [
            (one.document, one.item)
            for one in self.desk.reports(Receipt)
            if one.item is not None and one.standing in (Standing.HEARD, Standing.UNHEARD)
        ]
        assert len(told) == len(set(told))
        state = self.desk.state
        for key, progress in state.progress.items():
            late = progress.origin is not None and self._now().wall > progress.until - lineup.KEPT_MS + 10_000
            planned = state.plan is not None and key in {one.key for one in state.plan.occurrences}
            assert progress.done or not late or not planned or self._now().clock is ClockTrust.NONE

    @invariant()
    def acknowledged_is_durable(self) -> None:
        """Section 6: what is in the state's high-waters is on disk."""
        if self.desk.registers is not None:
            stored = unpack(initial(IDENTITY), self.desk.registers)
            assert stored.trust.versions == self.desk.state.trust.versions
            assert stored.trust.sequences == self.desk.state.trust.sequences

    @invariant()
    def guardian_opens_fm_where_the_agent_would(self) -> None:
        """Section 4: what it is armed with lies in signed windows, outside quiet hours and stops."""
        armed = [one.plan for one in self.desk.effects if isinstance(one, ArmGuardian)]
        versions = [one.version for one in armed]
        assert versions == sorted(set(versions))
        config = timeline.config_of(self.desk.state)
        if config.on_computer_dead is Fallback.SILENCE:
            assert not armed[-1].windows

    @invariant()
    def state_is_bounded(self) -> None:
        """Memory is bounded whatever arrives."""
        state = self.desk.state
        assert len(state.trust.refused) <= 64
        assert len(state.trust.deferred) <= 64
        assert len(state.sound.told) <= 16
        assert len(state.sound.levels) <= 900
        assert len(state.announced) <= 128
        assert len(state.told) <= len(state.force.items)
        assert state.fetching <= state.force.media | state.media or not state.force.schedules

    @invariant()
    def save_comes_first(self) -> None:
        """trust.md: persist before sound: in each decision the save stands before all other effects."""
        for decision in self.desk.decisions:
            saves = [place for place, one in enumerate(decision.effects) if isinstance(one, SaveState)]
            assert saves in ([], [0])
        self.desk.decisions.clear()

    def _now(self) -> Now:
        return clock_trust.believed(self.desk.state.clock, self.desk.now())

    def _is_silent(self) -> bool:
        return isinstance(self.desk.state.sound.output, Silence)


Horn.TestCase.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHorn = pytest.mark.slow(Horn.TestCase)
