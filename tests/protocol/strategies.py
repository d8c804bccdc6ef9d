"""Any valid document and report, for Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from protocol.alert import Alert, Cancel, Part, Stop, Tone
from protocol.assignment import Assignment, Placement
from protocol.audible_config import AudibleConfig, Fallback, Station, StoredMessage, Window
from protocol.bulletin import BulletinClass, CatchUp, Explicit, MediaRef, Weekly
from protocol.checkpoint import Checkpoint
from protocol.denial import Denial
from protocol.errors import Refusal
from protocol.freshness import Attestation, Head, Newest
from protocol.grants import Anchor, Grant
from protocol.limits import INTEGER_MAX
from protocol.live import LiveSession
from protocol.report import AsRun, EndReason, Fault, FaultCode, InForce, Level, Receipt, Standing, Status
from protocol.schedule import Item, Programme, Relay, Schedule
from protocol.stream import StreamRelay
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.protocol.people import key

letters = st.characters(exclude_categories=["Cs"])
texts = st.text(letters, max_size=20)
numbers = st.integers(0, INTEGER_MAX)
walls = st.integers(0, 4_000_000_000_000)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
segments = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=32)
unit_paths = st.lists(segments, min_size=1, max_size=4).map("/".join).map(UnitPath)
public_keys = st.lists(
    st.sampled_from([key(f"k{at}").public for at in range(8)]), min_size=1, max_size=8, unique=True
).map(tuple)
pis = st.none() | st.text("0123456789ABCDEF", min_size=4, max_size=4)
frequencies = (st.integers(540, 680) | st.integers(870, 1080)).map(lambda tenth: tenth * 100)
dates = st.dates().map(lambda day: day.isoformat())


def tuples(inner: st.SearchStrategy, most: int = 3, least: int = 0) -> st.SearchStrategy:
    return st.lists(inner, min_size=least, max_size=most).map(tuple)


def targets_in(scope: UnitPath) -> st.SearchStrategy:
    below = segments.map(lambda segment: UnitPath(f"{scope}/{segment}"))
    return tuples(st.just(scope) | below, least=1)


media = st.builds(MediaRef, digests, st.integers(1, 64 * 1024 * 1024), st.integers(1, 4 * 3_600_000))
explicit = st.builds(Explicit, tuples(walls))
weekly = st.builds(
    Weekly,
    days=tuples(st.integers(1, 7), 7),
    at_s=st.integers(0, 86_399),
    first_date=dates,
    last_date=dates,
    except_dates=tuples(dates),
)
programmes = st.builds(Programme, media)
relays = st.builds(Relay, frequencies, st.integers(1000, 4 * 3_600_000), pis)

streams = st.builds(
    StreamRelay,
    st.sampled_from(
        ["https://radio.vn/vov1.m3u8", "http://10.0.0.7:8000/live", "rtsp://may.vn/1", "rtp://239.1.1.1:5004"]
    ),
    st.integers(1000, 4 * 3_600_000),
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    scope, issued = draw(unit_paths), draw(walls)
    item = st.builds(
        Item,
        id=texts,
        title=texts,
        bulletin_class=st.sampled_from(BulletinClass),
        content=programmes | relays | streams,
        when=explicit | weekly,
        targets=targets_in(scope),
        catch_up=st.sampled_from(CatchUp),
    )
    items = draw(st.lists(item, max_size=3, unique_by=lambda one: one.id))
    expires = issued + draw(st.integers(1, 92 * 86_400_000))
    return Schedule(scope, draw(numbers), issued, expires, tuple(items), draw(tuples(texts)))


windows = st.builds(
    Window, st.integers(0, 40_000), st.integers(40_001, 86_400), tuples(st.integers(1, 7), 7)
) | st.builds(Window, st.integers(40_001, 86_399), st.integers(0, 40_000))
stations = st.builds(Station, frequencies, texts, pis)
configs = st.builds(
    AudibleConfig,
    scope=unit_paths,
    version=numbers,
    issued=walls,
    quiet_hours=tuples(windows),
    microphone_in_quiet_hours=st.booleans(),
    fm_stations=tuples(stations),
    fm_windows=tuples(windows),
    fallback=st.sampled_from(Fallback),
    on_computer_dead=st.sampled_from(Fallback),
    rssi_floor_dbuv=st.integers(0, 80),
    talk_ms_max=st.integers(10_000, 3_600_000),
    messages=st.lists(
        st.builds(StoredMessage, st.integers(1, 3), texts, media), max_size=3, unique_by=lambda one: one.number
    ).map(tuple),
)


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    scope, issued = draw(unit_paths), draw(walls)
    part = st.builds(Part, texts, st.text(letters, max_size=60), st.none() | media)
    return Alert(
        scope=scope,
        id=draw(texts),
        sequence=draw(numbers),
        issued=issued,
        expires=issued + draw(st.integers(1, 1_800_000)),
        severity=draw(st.integers(1, 4)),
        targets=draw(targets_in(scope)),
        parts=draw(tuples(part, 4, 1)),
        tone=draw(st.sampled_from(Tone)),
        tone_ms=draw(st.integers(3000, 10_000)),
        gap_ms=draw(st.integers(1000, 30_000)),
    )


@st.composite
def cancels(draw: st.DrawFn) -> Cancel:
    scope, issued = draw(unit_paths), draw(walls)
    return Cancel(scope, draw(texts), issued, issued + draw(st.integers(1, 1_800_000)), draw(targets_in(scope)))


@st.composite
def stops(draw: st.DrawFn) -> Stop:
    scope, issued = draw(unit_paths), draw(walls)
    expires, until = issued + draw(st.integers(1, 1_800_000)), issued + draw(st.integers(1, 86_400_000))
    return Stop(scope, draw(numbers), issued, expires, until, draw(targets_in(scope)))


@st.composite
def live_sessions(draw: st.DrawFn) -> LiveSession:
    scope, issued = draw(unit_paths), draw(walls)
    return LiveSession(
        scope=scope,
        id=draw(st.binary(min_size=16, max_size=16)).hex(),
        sequence=draw(numbers),
        issued=issued,
        expires=issued + draw(st.integers(1, 4 * 3_600_000)),
        bulletin_class=draw(st.sampled_from(BulletinClass)),
        key=draw(public_keys)[0],
        targets=draw(targets_in(scope)),
    )


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    keys, begin = draw(public_keys), draw(walls)
    return Grant(
        scope=draw(unit_paths),
        holder=draw(texts),
        verbs=draw(tuples(st.sampled_from(Verb))),
        keys=keys,
        threshold=draw(st.integers(1, len(keys))),
        depth=draw(st.integers(0, 8)),
        not_before=begin,
        expires=begin + draw(st.integers(1, 10**12)),
        epoch=draw(numbers),
        serial=draw(numbers),
        parent=draw(digests | st.just("anchor")),
    )


@st.composite
def anchors(draw: st.DrawFn) -> Anchor:
    keys, log_key = draw(public_keys), draw(st.none() | digests)
    return Anchor(draw(unit_paths), keys, draw(st.integers(1, len(keys))), draw(public_keys), log_key)


@st.composite
def assignments(draw: st.DrawFn) -> Assignment:
    scope = draw(unit_paths)
    places = st.none() | segments.map(lambda segment: UnitPath(f"{scope}/{segment}"))
    placement = st.builds(Placement, segments, places, places)
    placements = draw(st.lists(placement, min_size=1, max_size=3, unique_by=lambda one: one.device))
    return Assignment(scope, draw(walls), tuple(placements))


denials = st.builds(Denial, unit_paths, texts, st.integers(1, INTEGER_MAX), walls)
newest = st.builds(Newest, unit_paths, texts, numbers)
heads = st.builds(Head, unit_paths, walls, tuples(newest))
attestations = st.builds(Attestation, st.binary(min_size=16, max_size=16).map(bytes.hex), walls)

levels = st.integers(-12_000, 0)
receipts = st.builds(
    Receipt,
    device=texts,
    document=digests,
    kind=texts,
    standing=st.sampled_from(Standing),
    wall=walls,
    item=st.none() | texts,
    refusal=st.none() | st.sampled_from(Refusal),
    detail=st.none() | texts,
)
as_runs = st.builds(
    AsRun,
    id=texts,
    device=texts,
    rung=st.integers(1, 8),
    source=texts,
    began=walls,
    ended=walls,
    end_reason=st.sampled_from(EndReason),
    level_cdb=levels,
    output_level_cdb=st.none() | levels,
    document=st.none() | digests,
    item=st.none() | texts,
    start=st.none() | walls,
    lost_ms=numbers,
    stopped_by=st.none() | texts,
)
faults = st.builds(Fault, texts, st.sampled_from(FaultCode), walls, texts, st.none() | walls)
statuses = st.builds(
    Status,
    device=texts,
    unit=unit_paths,
    wall=walls,
    rung=st.integers(1, 9),
    level_cdb=levels,
    clock=texts,
    agent_version=texts,
    boot_id=texts,
    media_held=numbers,
    media_wanted=numbers,
    sounding=st.none() | texts,
    in_force=tuples(st.builds(InForce, unit_paths, texts, numbers, digests)),
    faults=tuples(st.sampled_from(FaultCode)),
    levels=tuples(st.builds(Level, walls, st.integers(1, 9), levels)),
)

DOCUMENTS = {
    Checkpoint: st.builds(Checkpoint, digests, st.integers(2, INTEGER_MAX), digests, walls),
    Assignment: assignments(),
    Denial: denials,
    Schedule: schedules(),
    AudibleConfig: configs,
    Alert: alerts(),
    Cancel: cancels(),
    Stop: stops(),
    LiveSession: live_sessions(),
    Grant: grants(),
    Anchor: anchors(),
    Head: heads,
    Attestation: attestations,
}
REPORTS = {Receipt: receipts, AsRun: as_runs, Fault: faults, Status: statuses}
