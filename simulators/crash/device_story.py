"""The real core decides and the real state store keeps, while every write is recorded; what must hold afterwards.

What a device may lose in a power cut is told here, once: nothing that was acknowledged on an honest card; on a card
that lies about flush the newest of what was saved, but never half of it in silence, and never so that an older
schedule counts again while a newer signed one lies on the card.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from edge.adapters.state_store import SqliteStateStore
from edge.core.agent import initial, step
from edge.core.effects import Effect, SaveState, SwitchOutput
from edge.core.events import Booted, ClockRead, ClockSource, EnvelopeReceived, Event, Route
from edge.core.output import AlertOutput
from edge.core.state import AgentState
from edge.ports import Stored
from protocol import codec
from protocol.audible_config import AudibleConfig
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.document import Kind, kind_of
from protocol.envelope import unpack
from protocol.limits import ENVELOPE_BYTES_MAX
from protocol.schedule import Schedule
from simulators.crash import office
from simulators.crash.card import DirectorySynced, Synced, Told, Tree
from simulators.crash.cuts import Cut
from simulators.crash.recorder import recording
from simulators.crash.sqlite_vfs import recorded_sqlite
from simulators.crash.trial import Recorded

_LATER: Final = 900
_MIRRORED: Final = re.compile(r"documents/[0-9a-f]{16}-[0-9a-f]{64}(\.[0-9]+)?")
_VERSIONED: Final = {Kind.SCHEDULE: Schedule, Kind.AUDIBLE_CONFIG: AudibleConfig}


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store should hold after a save.

    Attributes:
        documents: envelopes by key.
    """

    registers: bytes | None
    documents: dict[str, bytes]


class Device:
    """The core in a story, its clock standing still but for a little with each event."""

    def __init__(self) -> None:
        self.state: AgentState = initial(office.IDENTITY)
        self._mono = 1_000_000

    def boot(self, stored: Stored) -> tuple[Effect, ...]:
        """Starts from what was stored; then two clock sources agree."""
        booted = Booted("boot", stored.registers, stored.envelopes, (), stored.damaged)
        effects = self.send(booted)
        for source in (ClockSource.NTP, ClockSource.RTC):
            effects += self.send(ClockRead(source, self._wall()))
        return effects

    def send(self, event: Event) -> tuple[Effect, ...]:
        """One decision."""
        self._mono += 10
        decision = step(self.state, event, Now(MonoMs(self._mono), self._wall(), ClockTrust.NONE))
        self.state = decision.state
        return decision.effects

    def _wall(self) -> WallMs:
        return WallMs(office.WALL + self._mono - 1_000_000)


def events(*, rounds: int) -> Iterator[Event]:
    """What the device hears from its office: each round newer versions, and an emergency that is cancelled."""
    yield EnvelopeReceived(office.grant(), Route.DOC)
    for number in range(1, rounds + 1):
        yield EnvelopeReceived(office.configuration(number), Route.DOC)
        yield EnvelopeReceived(office.schedule(number), Route.DOC)
        yield EnvelopeReceived(office.alert(number), Route.ALERT)
        yield EnvelopeReceived(office.cancel(number), Route.ALERT)


def record(directory: Path, *, rounds: int) -> Recorded:
    """Everything that was done to the card while the device heard all that."""
    with recording(directory) as recorder, recorded_sqlite(recorder) as connect:
        with closing(SqliteStateStore(directory, ballast_bytes=0, connect=connect)) as store:
            device, kept = Device(), [Kept(None, {})]
            for effects in itertools.chain([device.boot(store.load())], map(device.send, events(rounds=rounds))):
                for one in effects:
                    if isinstance(one, SaveState):
                        store.save(one.registers, one.put, one.drop)
                        kept.append(_after(kept[-1], one))
                        recorder.tell(len(kept) - 1)
        return Recorded(tuple(recorder.deeds), Story(tuple(kept)).judge)


def record_mending(directory: Path, *, rounds: int) -> Recorded:
    """A device starts with a database that rotted, rebuilds it from its signed files, and saves."""
    (directory / "before").mkdir()
    whole = record(directory / "before", rounds=rounds)
    tree = Tree()
    for deed in whole.deeds:
        if not isinstance(deed, Synced | DirectorySynced | Told):
            tree.apply(deed)
    files = tree.files() | {"state.db": b"rotten" * 4000, "state.db-wal": b""}
    mirrored = tuple(content.partition(b"\n")[2] for name, content in files.items() if name.startswith("documents/"))
    place = directory / "after"
    place.mkdir()
    with recording(place) as recorder, recorded_sqlite(recorder) as connect:
        recorder.begin_with(files)
        first = len(recorder.deeds)
        with closing(SqliteStateStore(place, ballast_bytes=0, connect=connect)) as store:
            if not store.load().damaged:
                raise AssertionError("a rotten database is not noticed")
            store.save(b"mended", (), ())
            recorder.tell(1)
    return Recorded(tuple(recorder.deeds), partial(_judge_mending, mirrored), first)


def _judge_mending(mirrored: tuple[bytes, ...], card: Path, cut: Cut) -> list[str]:
    found = _start(card)
    if {*found.envelopes} != {*mirrored}:
        return ["signed documents are lost in mending"]
    if found.registers == b"mended" and not found.damaged:
        return []
    if cut.told and cut.honest:
        return ["what was saved after mending is lost"]
    return [] if found.damaged else ["the damage is not told"]


def _after(before: Kept, effect: SaveState) -> Kept:
    left = {key: envelope for key, envelope in before.documents.items() if key not in effect.drop}
    return Kept(effect.registers, left | {one.key: one.envelope for one in effect.put})


@dataclass(frozen=True, slots=True)
class Story:
    """What should be there. Attributes: kept: what the store should hold after each save, the first before any."""

    kept: tuple[Kept, ...]

    def judge(self, card: Path, cut: Cut) -> list[str]:
        """Starts store and core on the card, as `go_through` wants it."""
        found = _start(card)
        return [*self.faults(cut, found), *_disobedience(found)]

    def faults(self, cut: Cut, found: Stored) -> list[str]:
        """What is wrong with what the store found; empty when all is well."""
        if any(_is(found, one) for one in self.kept[cut.told : cut.told + 2]):
            return ["damage is told, and nothing is lost"] if cut.honest and found.damaged else []
        if cut.honest:
            return ["what was acknowledged is not there"]
        return list(self._faults_of_a_liar(cut, found))

    def _faults_of_a_liar(self, cut: Cut, found: Stored) -> Iterator[str]:
        ever = {envelope for one in self.kept for envelope in one.documents.values()}
        if not {*found.envelopes} <= ever or found.registers not in {one.registers for one in self.kept}:
            yield "something that was never saved"
        if not found.damaged and not any(_is(found, one) for one in self.kept):
            yield "a mixture of two saves, and no word of damage"
        held = _versions(found.envelopes)
        for key, version in _versions(_on_card(cut)).items():
            if held.get(key, -1) < version:
                yield f"{key} is at version {held.get(key)}, and {version} lies on the card"


def _start(directory: Path) -> Stored:
    """The real store on a card after a cut; twice, since the second start finds what the first one mended."""
    with closing(SqliteStateStore(directory, ballast_bytes=0)) as store:
        first = store.load()
    with closing(SqliteStateStore(directory, ballast_bytes=0)) as store:
        second = store.load()
        store.save(b"goes on", (), ())
        third = store.load()
    if {*first.envelopes} != {*second.envelopes} or third.registers != b"goes on" or third.damaged:
        raise AssertionError("the next start does not find what this one found")
    return first


def _is(found: Stored, kept: Kept) -> bool:
    return found.registers == kept.registers and {*found.envelopes} == {*kept.documents.values()}


def _on_card(cut: Cut) -> Iterator[bytes]:
    """Envelopes of signed files that are whole."""
    for name, content in cut.tree.files().items():
        envelope = content.partition(b"\n")[2]
        if _MIRRORED.fullmatch(name) and hashlib.sha256(envelope).hexdigest() in name:
            yield envelope


def _versions(envelopes: Iterable[bytes]) -> dict[str, int]:
    """The newest version of each kind of document that has versions."""
    found: dict[str, int] = {}
    for data in envelopes:
        envelope = unpack(data)
        kind = kind_of(envelope)
        if kind in _VERSIONED:
            document: Schedule | AudibleConfig = codec.decode(
                _VERSIONED[kind], envelope.payload, bytes_max=ENVELOPE_BYTES_MAX
            )
            found[kind] = max(document.version, found.get(kind, -1))
    return found


def _disobedience(found: Stored) -> list[str]:
    """What the real core does wrong when it starts with this: it must obey a new emergency, and no older schedule."""
    device = Device()
    device.boot(found)
    wrong = []
    if not {*found.envelopes} & {office.grant()}:
        device.send(EnvelopeReceived(office.grant(), Route.DOC))
    before = device.state.trust.versions
    for version in range(1, _versions(found.envelopes).get(Kind.SCHEDULE, 0) + 1):
        device.send(EnvelopeReceived(office.schedule(version), Route.DOC))
    if any(device.state.trust.versions[name] < number for name, number in before.items()):
        wrong.append("a version fell")
    effects = device.send(EnvelopeReceived(office.alert(_LATER), Route.ALERT))
    if not any(isinstance(one, SwitchOutput) and isinstance(one.output, AlertOutput) for one in effects):
        wrong.append("a new emergency does not sound")
    return wrong
