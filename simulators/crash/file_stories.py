"""Stores that are files: programmes, the journal, what is trusted from the root. Power is cut while they write."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from edge.adapters.journal import Journal, read_journal
from edge.adapters.media_store import DiskMediaStore
from edge.core.events import Booted, ClockRead, ClockSource, Event, MediaLost
from edge.disk import Disk
from edge.ports import FetchError
from edge.updates.client import Origin, sync
from protocol.bulletin import MediaRef
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from simulators.crash.cuts import Cut
from simulators.crash.recorder import recording
from simulators.crash.trial import Recorded
from simulators.tuf_repository import BEGIN, MemoryFetcher, TufRepository

_PIECE_BYTES: Final = 3000
_BOOTED: Final = Booted("after the cut", None, (), ())
_WALL: Final = WallMs(round(BEGIN.timestamp() * 1000))


# Programmes.


def programme(number: int) -> tuple[MediaRef, bytes]:
    """A medium of a few pieces, whose length is no whole number of sectors."""
    data = hashlib.shake_256(b"%d" % number).digest(_PIECE_BYTES * 2 + 100 + number)
    return MediaRef(hashlib.sha256(data).hexdigest(), len(data), 1000), data


def record_media(directory: Path) -> Recorded:
    """Two programmes are downloaded, and the first is deleted."""
    with recording(directory) as recorder:
        store = DiskMediaStore(directory, reserve_bytes=0)
        for number in (1, 2):
            asyncio.run(_download(store, number))
            recorder.tell(number)
        store.delete(programme(1)[0].digest)
        recorder.tell(3)
    return Recorded(tuple(recorder.deeds), _judge_media)


async def _download(store: DiskMediaStore, number: int) -> None:
    media, data = programme(number)
    sink = store.sink(media)
    try:
        while sink.offset_bytes < media.size_bytes:
            await sink.write(data[sink.offset_bytes :][:_PIECE_BYTES])
        await sink.finish()
    finally:
        await sink.close()


def _judge_media(card: Path, cut: Cut) -> list[str]:
    return asyncio.run(_media_faults(card, cut))


async def _media_faults(card: Path, cut: Cut) -> list[str]:
    store, wrong = DiskMediaStore(card, reserve_bytes=0), []
    kept = {0: (), 1: (1,), 2: (2,), 3: (2,)}[cut.told]
    if cut.honest and not {programme(one)[0].digest for one in kept} <= store.digests():
        wrong.append("a programme that was stored is gone")
    rotten = [number for number in (1, 2) if not _is_sound(store, number)]
    if rotten and cut.honest:
        wrong.append("a programme is shown and is not what it should be")
    if rotten:
        async with aclosing(store.check()) as checked:  # type: ignore[type-var]
            told = {event.digest async for event in checked if isinstance(event, MediaLost)}
        if not {programme(one)[0].digest for one in rotten} <= told:
            wrong.append("a rotten programme is not found")
    for number in (1, 2):
        await _download_again(store, number)
        if programme(number)[0].digest not in store.digests() or not _is_sound(store, number):
            wrong.append("a programme cannot be brought in any more")
    return wrong


def _is_sound(store: DiskMediaStore, number: int) -> bool:
    media, data = programme(number)
    path = store.path(media.digest)
    return path is None or path.read_bytes() == data


async def _download_again(store: DiskMediaStore, number: int) -> None:
    """What was torn is thrown away by the first try."""
    if programme(number)[0].digest in store.digests():
        return
    try:
        await _download(store, number)
    except FetchError:
        await _download(store, number)


# The journal.


def record_journal(directory: Path) -> Recorded:
    """Events are written in batches, of which none is synced."""
    events = [ClockRead(ClockSource.NTP, WallMs(number)) for number in range(24)]
    with recording(directory) as recorder:
        journal = Journal(directory, disk=Disk(None), file_bytes_max=900)
        for number, event in enumerate(events):
            journal.record(_now(number), event)
            if number % 3 == 2:
                asyncio.run(journal.flush())
    return Recorded(tuple(recorder.deeds), partial(_judge_journal, tuple(events)))


def _now(number: int) -> Now:
    return Now(MonoMs(number), WallMs(number), ClockTrust.NONE)


def _judge_journal(events: tuple[Event, ...], card: Path, _: Cut) -> list[str]:
    journal = Journal(card, disk=Disk(None))
    journal.record(_now(100), _BOOTED)
    asyncio.run(journal.flush())
    found = [event for _, event in read_journal(card)]
    if not found or found[-1] != _BOOTED:
        return ["the first event after the cut is lost"]
    places = [events.index(one) if one in events else -1 for one in found[:-1]]
    return [] if -1 not in places and places == sorted(places) else ["events that never were, or in another order"]


# What is trusted from the root.


@dataclass(frozen=True, slots=True)
class _Follower:
    """A device that follows a root which has changed twice."""

    origin: Origin
    enrolled: bytes

    def follow(self, card: Path) -> bytes:
        """One look; gives the anchor."""
        places = {"metadata": card / "metadata", "into": card / "targets"}
        synced = sync(places["metadata"], self.origin, into=places["into"], root=self.enrolled, wall=_WALL)
        assert synced.anchor is not None, "the repository has one"
        return synced.anchor.read_bytes()

    def judge(self, card: Path, cut: Cut) -> list[str]:
        """On an honest card what was trusted still is; on any, the next look ends with the newest."""
        wrong = []
        if cut.honest and cut.told and _root_version(card) < cut.told:
            wrong.append("a root that was trusted is forgotten")
        if self.follow(card) != _anchor(2) or _root_version(card) != 2:
            wrong.append("the newest root and anchor are not taken")
        left = sorted(path.name for path in card.rglob(".*") if not path.with_name(path.name[5:]).exists())
        return wrong + ([f"leftovers pile up: {left}"] if left else [])


def record_root(directory: Path) -> Recorded:
    """A device follows its root: the first time, and when root and anchor have changed."""
    repository = TufRepository()
    enrolled = repository.files["metadata/1.root.json"]
    fetcher = MemoryFetcher(repository)
    follower = _Follower(Origin("memory://metadata/", "memory://targets/", fetcher), enrolled)  # type: ignore[arg-type]
    with recording(directory) as recorder:
        for number in (1, 2):
            if number == 2:
                repository.next_root(signers=repository.signers["root"])
            repository.add("anchor.json", _anchor(number))
            repository.renew("targets")
            follower.follow(directory)
            recorder.tell(number)
    return Recorded(tuple(recorder.deeds), follower.judge)


def _anchor(number: int) -> bytes:
    return b"anchor %d" % number


def _root_version(card: Path) -> int:
    read = json.loads((card / "metadata" / "root.json").read_bytes())
    return int(read["signed"]["version"])
