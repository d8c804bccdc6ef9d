"""The agent's core: no bytes make it raise, and none that no operator signed change what comes out of the horn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from edge.core.agent import Decision, initial, step
from edge.core.effects import SaveState, SwitchOutput
from edge.core.events import (
    AttestationReceived,
    Booted,
    ClockRead,
    ClockSource,
    EnvelopeReceived,
    Event,
    FmSignalMeasured,
    LiveSegmentReceived,
    MediaStored,
    ParcelReceived,
    RootReceived,
    Route,
    SoundStarted,
    Ticked,
)
from edge.core.registers import REGISTERS_BYTES_MAX, Registers
from edge.core.state import AgentState, Identity
from protocol import codec
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.denial import Denied, RootWord, read_root_word
from protocol.document import Kind
from protocol.envelope import unpack
from protocol.errors import DocumentError
from protocol.grants import read_anchor
from protocol.parcel import unpack_parcel
from protocol.report import FaultCode
from protocol.units import UnitPath
from tests.fuzz import material
from tests.fuzz.target import Target
from tests.protocol.people import ANCHOR, COMMUNE, NOW

_MODULES = ("protocol", "edge.core")
IDENTITY = Identity(material.DEVICE, UnitPath(material.PLACE), ANCHOR)
STANDING = (Kind.GRANT, Kind.SCHEDULE, Kind.AUDIBLE_CONFIG, Kind.HEAD)


def present(later_ms: int = 2000) -> Now:
    return Now(MonoMs(1_000_000 + later_ms), WallMs(NOW + later_ms), ClockTrust.NONE)


def after(state: AgentState, *events: Event, later_ms: int = 1000) -> Decision:
    """The decision on the last of some events."""
    for event in events[:-1]:
        state = step(state, event, present(later_ms)).state
    return step(state, events[-1], present(later_ms))


@cache
def playing() -> AgentState:
    """A device with rules in force, whose clock is believed and whose programme sounds."""
    clock = ClockRead(ClockSource.NTP, WallMs(NOW + 1000)), ClockRead(ClockSource.RTC, WallMs(NOW + 1000))
    arrived = tuple(EnvelopeReceived(material.spoken()[kind].pack(), Route.DOC) for kind in STANDING)
    stored = tuple(MediaStored(material.media(name).digest) for name in ("tin", "lu"))
    state = after(initial(IDENTITY), Booted("b1", None, (), ()), *clock, *arrived, *stored, Ticked()).state
    return after(state, SoundStarted(state.sound.output.key, WallMs(NOW + 1000))).state


@cache
def on_air() -> AgentState:
    """The same with a live session that flows."""
    session = EnvelopeReceived(material.spoken()[Kind.LIVE_SESSION].pack(), Route.ALERT)
    return after(playing(), session, LiveSegmentReceived(material.segment()), later_ms=1500).state


@cache
def unsure() -> AgentState:
    """A device that believes no clock: documents wait."""
    return after(initial(IDENTITY), Booted("b1", None, (material.office_grant().pack(),), ())).state


def genuine() -> frozenset[str]:
    """Names of all that was truly signed."""
    return frozenset(one.digest for one in (*material.spoken().values(), material.province_grant()))


def _held(state: AgentState) -> frozenset[str]:
    trust = state.trust
    return frozenset(one.digest for one in trust.documents.values()) | set(trust.grants) | set(trust.obeyed)


def switches(decision: Decision) -> list[SwitchOutput]:
    return [effect for effect in decision.effects if isinstance(effect, SwitchOutput)]


_QUIET: dict[int, list[SwitchOutput]] = {}


def _without(state: AgentState) -> list[SwitchOutput]:
    """What the same instant switches when nothing came; the states are made once, so it is worked out once."""
    if id(state) not in _QUIET:
        _QUIET[id(state)] = switches(step(state, Ticked(), present()))
    return _QUIET[id(state)]


def unmoved(state: AgentState, event: Event) -> Decision:
    """Sends something and holds the core to its promise: without a new signed document nothing sounds otherwise."""
    decision = step(state, event, present())
    fresh = _held(decision.state) - _held(state)
    assert fresh <= genuine(), "obeyed what nobody signed"
    if not fresh:
        assert switches(decision) == _without(state), "the horn was moved by bytes that no operator signed"
        for high_water in ("versions", "sequences", "denied", "cancelled"):
            former, found = getattr(state.trust, high_water), getattr(decision.state.trust, high_water)
            assert found == former, f"{high_water} were moved by bytes that no operator signed"
        assert decision.state.stop == state.stop
        assert decision.state.clock.floor == state.clock.floor
    saves = [at for at, effect in enumerate(decision.effects) if isinstance(effect, SaveState)]
    assert saves in ([], [0]), "what must last is saved before anything else is done"
    return decision


def envelope(data: bytes) -> None:
    """Bytes on any way by which a document comes, to a device that plays and to one that believes no clock."""
    route = tuple(Route)[len(data) % len(Route)]
    unmoved(playing(), EnvelopeReceived(data, route))
    unmoved(unsure(), EnvelopeReceived(data, route))


def parcel(data: bytes) -> None:
    """A parcel whose damaged part does not spoil the rest."""
    decision = unmoved(unsure(), ParcelReceived(data, Route.USB))
    unmoved(playing(), ParcelReceived(data, Route.DOC))
    try:
        found = unpack_parcel(data)
    except DocumentError:
        return
    whole = material.spoken()[Kind.HEAD].pack()
    if whole in found:
        assert material.spoken()[Kind.HEAD].digest in _held(decision.state), "a good envelope was lost with bad ones"


def segment(data: bytes) -> None:
    """Live sound that the session's key did not sign is never fed."""
    decision = unmoved(on_air(), LiveSegmentReceived(data))
    signed = data in (material.segment(), material.segment(9))
    assert signed or not [one for one in decision.effects if type(one).__name__ == "FeedLive"]
    unmoved(playing(), LiveSegmentReceived(data))


def attestation(data: bytes) -> None:
    """Only the pinned key's answer to our own nonce moves the clock."""
    decision = unmoved(unsure(), AttestationReceived(data, material.NONCE, MonoMs(1_001_000)))
    believed = decision.state.clock.attested is not None
    try:
        truly = unpack(data).digest == material.spoken()[Kind.ATTESTATION].digest
    except DocumentError:
        truly = False
    assert truly or not believed
    unmoved(unsure(), AttestationReceived(data, "0" * 32, MonoMs(1_001_000)))


def radio(data: bytes) -> None:
    """What a tuner and clocks say comes from the air: any number, any identity."""
    wall = int.from_bytes(data[:9], "big", signed=True)
    readings = (
        ClockRead(ClockSource.RDS, WallMs(wall)),
        ClockRead(ClockSource.CELLULAR, WallMs(wall)),
        FmSignalMeasured(99_900, int.from_bytes(data[9:11], "big", signed=True), data[11:].decode("latin-1")),
        Ticked(),
    )
    for state in (unsure(), playing()):
        after(state, *readings, later_ms=2000)


@cache
def saved() -> bytes:
    """Registers of a device that has obeyed a little of everything."""
    alert, stop = (EnvelopeReceived(material.spoken()[kind].pack(), Route.ALERT) for kind in (Kind.ALERT, Kind.STOP))
    cancel = EnvelopeReceived(material.spoken()[Kind.CANCEL].pack(), Route.ALERT)
    state = on_air()
    found = b""
    for event in (alert, stop, cancel):
        decision = step(state, event, present())
        state = decision.state
        found = next((one.registers for one in decision.effects if isinstance(one, SaveState)), found)
    assert found, "something was saved"
    return found


def registers(data: bytes) -> None:
    """Stored registers that are not registers are told as damage; the device goes on and decides as before."""
    held = tuple(material.spoken()[kind].pack() for kind in STANDING)
    booted = step(initial(IDENTITY), Booted("b2", data, held, ()), present())
    try:
        stored = codec.decode(Registers, data, bytes_max=REGISTERS_BYTES_MAX)
    except DocumentError:
        assert FaultCode.STATE_DAMAGED in booted.state.faults, "damage was not told"
    else:
        found = {one.name: one.value for one in stored.versions}
        assert all(booted.state.trust.versions[name] >= value for name, value in found.items())
    clock = ClockRead(ClockSource.NTP, WallMs(NOW + 2000)), ClockRead(ClockSource.RTC, WallMs(NOW + 2000))
    state = after(booted.state, *clock, Ticked(), later_ms=2000).state
    decision = after(replace(state, media=frozenset((material.media("tin").digest,))), Ticked(), later_ms=4000)
    assert _held(decision.state) <= genuine() | set(decision.state.trust.obeyed)


def root(data: bytes) -> None:
    """Bytes below the root's signature that are no anchor and no word: told, and nothing else changes."""
    decision = step(playing(), RootReceived(data, data), present())
    readable = False
    for read in (read_anchor, read_root_word):
        with contextlib.suppress(DocumentError):
            read(data)
            readable = True
    if not readable:
        assert switches(decision) == switches(step(playing(), Ticked(), present()))
        assert decision.state.identity == IDENTITY
        assert decision.state.trust.denied == playing().trust.denied
    after(decision.state, Ticked(), later_ms=4000)


def store(data: bytes) -> None:
    """Whatever lies among the stored documents, only what is signed comes into force."""
    held = (data, *(material.spoken()[kind].pack() for kind in STANDING))
    booted = step(initial(IDENTITY), Booted("b2", None, held, ()), present())
    assert _held(booted.state) <= genuine()
    assert {material.spoken()[kind].digest for kind in STANDING} <= _held(booted.state)


def _root_files() -> list[bytes]:
    word = RootWord(2, (Denied(COMMUNE, "Xã Long Phú", 3),), WallMs(NOW - 1000))
    return [codec.encode(ANCHOR), codec.encode(word), *material.FOREIGN]


def _with(run: Callable[[bytes], None], seeds: Callable[[], list[bytes]], runs: int) -> Target:
    return Target(run, seeds, _MODULES, runs=runs)


TARGETS = {
    "core_envelope": _with(envelope, material.envelopes, 1_000),
    "core_parcel": _with(parcel, material.parcels, 1_000),
    "core_segment": _with(segment, material.segments, 2_000),
    "core_attestation": _with(attestation, material.envelopes, 2_000),
    "core_radio": _with(radio, lambda: [NOW.to_bytes(9, "big") + b"\x00\x40A201", b"\xff" * 12, b"\x00" * 20], 2_000),
    "core_registers": _with(registers, lambda: [saved(), b"{}"], 1_000),
    "core_store": _with(store, material.envelopes, 1_000),
    "core_root": _with(root, _root_files, 1_000),
}
