"""All that the agent knows between two events. Frozen: a new state is made, the old one stays for comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.core.at_hand import StickSeen, StopMark, StoredSpeech, Talk
from edge.core.events import BoardPart, ClockSource
from edge.core.in_force import InForce
from edge.core.output import Output, Silence
from edge.core.trust_state import TrustState
from protocol.audible_config import AudibleConfig, Station
from protocol.bulletin import BulletinClass
from protocol.clock import ClockTrust, MonoMs, WallMs
from protocol.grants import Anchor
from protocol.report import EndReason, FaultCode, Level
from protocol.schedule import Item
from protocol.units import UnitPath, covers, parent


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this device is: fixed at enrolment, but for a signed assignment or a new word of the root.

    Attributes:
        place: the device's own path; its home unit is the parent.
        heartbeat_ms: time between two statuses when nothing changes.
    """

    device: str
    place: UnitPath
    anchor: Anchor
    agent_version: str = "0.1.0"
    heartbeat_ms: int = 60_000

    @property
    def home(self) -> UnitPath:
        """The unit the device belongs to: the only one whose ordinary items it obeys, besides its own place."""
        return parent(self.place) or self.place

    def listens_to(self, scope: UnitPath) -> bool:
        """Whether the scope is the place itself or above it."""
        return covers(scope, self.place)


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is known about time.

    Attributes:
        offsets: for each source of this boot, wall minus monotonic milliseconds.
        agreed: the same, as two of them last agreed on it; one that begins to lie does not take the trust away.
        attested: the same from the controller's answer to our nonce.
        floor: last operator-signed time; time below it is not believed.
        asked: when the controller was last asked.
    """

    offsets: Mapping[ClockSource, int] = field(default_factory=dict)
    agreed: int | None = None
    attested: int | None = None
    floor: WallMs = WallMs(0)
    asked: MonoMs | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One start of one item."""

    document: str
    scope: UnitPath
    item: Item
    start: WallMs

    @property
    def key(self) -> str:
        """Survives new versions of the schedule: each occurrence plays at most once."""
        return f"{self.scope}#{self.item.id}@{self.start}"

    @property
    def end(self) -> WallMs:
        """Planned end."""
        return WallMs(self.start + self.item.content.duration_ms)

    @property
    def is_priority(self) -> bool:
        """Class of the item."""
        return self.item.bulletin_class is BulletinClass.PRIORITY


@dataclass(frozen=True, slots=True)
class Plan:
    """Occurrences around the present, sorted; made anew when documents change or it grows old.

    Attributes:
        open: those that have not come to their end, so that a long day costs no more than a short one.
    """

    occurrences: tuple[Occurrence, ...]
    begin: WallMs
    end: WallMs
    open: tuple[Occurrence, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an occurrence has come; persisted before it sounds.

    Attributes:
        origin: wall time of the media's first sample; None while it waits its turn.
        turn: when its turn will have come; later than that it is joined at the present offset.
        until: when this can be forgotten.
        heard_ms: how long it was measurably heard.
        failures: how often its source broke.
        ended: when its last part ended; what lies between two parts was lost.
    """

    until: WallMs
    origin: WallMs | None = None
    done: bool = False
    heard_ms: int = 0
    failures: int = 0
    ended: WallMs | None = None
    turn: WallMs | None = None


@dataclass(frozen=True, slots=True)
class LiveState:
    """The segments of one live session.

    Attributes:
        reserved: counters up to here are spent after a power cut: stored ahead, so that not every second is a write.
        returned: when sound last (re)started, so that a bad link does not flap.
    """

    counter: int = -1
    reserved: int = -1
    last: MonoMs = MonoMs(0)
    returned: MonoMs | None = None
    flowing: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class FmState:
    """The FM gate.

    Attributes:
        frequency_khz: the frequency that is measured now.
        listening: the stations that are wanted or stand by, as last looked at.
        good: consecutive readings above the floor.
        rssi_dbuv, pi: the last reading and the identity since it opened.
        opened: when it opened; None while it is closed.
        measured, identified: when the last reading came, and the last identity: whoever falls silent vouches for
            nothing.
        barred: until when a frequency is not tried again, and why it was refused.
    """

    frequency_khz: int | None = None
    since: MonoMs = MonoMs(0)
    listening: tuple[Station, ...] = ()
    good: int = 0
    rssi_dbuv: int | None = None
    pi: str | None = None
    opened: MonoMs | None = None
    measured: MonoMs = MonoMs(0)
    identified: MonoMs = MonoMs(0)
    barred: Mapping[int, tuple[MonoMs, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SoundState:
    """What the sound path was told and what it measured.

    Attributes:
        output: what was told to sound now; `planned` what is told to begin at an instant.
        started: key of what has really begun.
        begun: believed wall time of the first samples lately, by key.
        endings: why an output that was replaced ended.
        told: outputs that may still report their end, by key.
        quiet_since: when sound that is expected was measured last; `loud_since` the other way round.
        shift_ms: the believed hour, from the system's, as the sound path was told.
        failed: key of a broken source, and when it may be opened again.
        resting: relayed streams that broke off, by key, and when each may sound again.
    """

    output: Output = Silence()
    output_since: MonoMs = MonoMs(0)
    planned: tuple[Output, MonoMs] | None = None
    started: str | None = None
    begun: Mapping[str, WallMs] = field(default_factory=dict)
    endings: Mapping[str, EndReason] = field(default_factory=dict)
    told: Mapping[str, Output] = field(default_factory=dict)
    level_cdb: int = -12_000
    levels: tuple[Level, ...] = ()
    quiet_since: MonoMs | None = None
    loud_since: MonoMs | None = None
    muted: bool = False
    failed: tuple[str, MonoMs] | None = None
    card_present: bool = True
    shift_ms: int = 0
    resting: Mapping[str, MonoMs] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuardState:
    """What the guardian was last told.

    Attributes:
        version: of the last plan; survives power cuts.
        basis: the configuration, the stop and whether it may speak at all, as the plan was made from them.
        windows: whether the plan has any, and so grows old.
    """

    version: int = 0
    basis: tuple[AudibleConfig, StopMark | None, bool] | None = None
    windows: bool = False
    armed: MonoMs = MonoMs(0)


@dataclass(frozen=True, slots=True)
class Calm:
    """Until when nothing changes by time alone, as it was seen when everything was last looked at.

    Attributes:
        looked: when that was: what had run out by then has had its consequences.
        offset_ms: believed wall time minus monotonic time then; the instant counts for this hour only.
    """

    until: MonoMs
    looked: MonoMs
    offset_ms: int
    clock: ClockTrust


@dataclass(frozen=True, slots=True)
class AgentState:
    """Everything.

    Attributes:
        force: the documents of `trust`, sorted out.
        lives: live sessions that were heard of, by id.
        message: what a message button started; a power cut ends it, because who pressed the button is there to press
            it again, and nobody expects it after the lights come back.
        message_refused: why the last press of a message button was in vain, and when.
        unsaved: when it last turned out that nothing can be stored, until something could be.
        parts: parts of the board that are sick, each with what was found.
        told, announced: keep receipts from being sent twice: of items that are ready, and of what sounded lately.
    """

    identity: Identity
    boot_id: str = ""
    link_up: bool = False
    clock: ClockState = ClockState()
    trust: TrustState = TrustState()
    force: InForce = InForce()
    media: frozenset[str] = frozenset()
    fetching: frozenset[str] = frozenset()
    damaged_media: frozenset[str] = frozenset()
    plan: Plan | None = None
    progress: Mapping[str, Progress] = field(default_factory=dict)
    talk: Talk | None = None
    talk_stuck: bool = False
    message: StoredSpeech | None = None
    message_refused: tuple[str, MonoMs] | None = None
    parts: Mapping[BoardPart, str] = field(default_factory=dict)
    stop: StopMark | None = None
    lives: Mapping[str, LiveState] = field(default_factory=dict)
    fm: FmState = FmState()
    sound: SoundState = SoundState()
    faults: Mapping[FaultCode, tuple[WallMs, str]] = field(default_factory=dict)
    booted: MonoMs = MonoMs(0)
    caught_up: bool = False
    state_damaged: bool = False
    storage_full_since: MonoMs | None = None
    unsaved: MonoMs | None = None
    told: frozenset[str] = frozenset()
    announced: tuple[str, ...] = ()
    status_due: MonoMs = MonoMs(0)
    as_run_count: int = 0
    guard: GuardState = GuardState()
    stick: StickSeen | None = None
    calm: Calm | None = None
