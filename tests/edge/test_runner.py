"""The pump between the ports and the core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.core.effects import (
    AskAttestation,
    DeleteMedia,
    FeedLive,
    FetchMedia,
    MuteAmplifier,
    PublishReport,
    SaveState,
    StoredDocument,
    SwitchOutput,
)
from edge.core.events import (
    AttestationReceived,
    Booted,
    EnvelopeReceived,
    Event,
    LinkChanged,
    MediaStored,
    ParcelReceived,
    Route,
    StateSaveFailed,
    StopPressed,
    TalkPressed,
    Ticked,
)
from edge.core.output import Silence
from edge.inbox import Inbox, is_urgent
from edge.ports import Stored
from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, Now, WallMs
from protocol.report import Fault, FaultCode, Receipt, Standing
from tests.edge.bench import Bench

MEDIA = MediaRef("a" * 64, 1000, 1000)
SWITCH = SwitchOutput(Silence(), MonoMs(0))
FAULT = Fault("dev-c07", FaultCode.STORAGE_FULL, WallMs(1))
PROMISE = Receipt("dev-c07", "0" * 64, "schedule", Standing.RECEIVED, WallMs(1))


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_boot_brings_what_is_stored(bench: Bench) -> None:
    bench.state.stored = Stored(b"registers", (b"envelope",))
    bench.media.stored = {"b" * 64}
    async with bench.running():
        await bench.wait_decided(Booted)
    booted = bench.runner.state[0]
    assert isinstance(booted, Booted)
    assert (booted.registers, booted.envelopes, booted.media) == (b"registers", (b"envelope",), ("b" * 64,))


async def test_effects_keep_their_order(bench: Bench) -> None:
    live = FeedLive("0" * 32, 1, (b"x",))
    bench.core.on(StopPressed, SaveState(b"first"), SWITCH, live, MuteAmplifier(True))
    async with bench.running():
        await bench.tell(StopPressed())
    assert bench.state.saves == [b"first"]
    assert bench.audio.told == [("silence", 0), ("0" * 32, 1, (b"x",)), True]


async def test_horn_does_not_wait_for_papers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox is a second commit on a slow card: the alarm is switched before its receipt is on disk."""
    switched_before: list[bool] = []
    monkeypatch.setattr(bench.outbox, "append", lambda letters: switched_before.append(bool(bench.audio.told)))
    bench.core.on(StopPressed, SaveState(b"x"), PublishReport(PROMISE), SWITCH)
    async with bench.running():
        await bench.tell(StopPressed())
    assert switched_before == [True]


async def test_failed_save_undoes_the_decision(bench: Bench) -> None:
    bench.state.full = True
    bench.core.on(StopPressed, SaveState(b"x", (StoredDocument("k", b"v"),)), SWITCH)
    async with bench.running():
        await bench.link.queue.put(StopPressed())
        await bench.wait_decided(StateSaveFailed)
    assert bench.audio.told == []
    assert not any(isinstance(event, StopPressed) for event in bench.runner.state)


async def test_failed_save_still_tells_faults(bench: Bench) -> None:
    bench.state.full = True
    bench.core.on(StopPressed, SaveState(b"x"), PublishReport(PROMISE), PublishReport(FAULT))
    async with bench.running():
        await bench.tell(LinkChanged(True))
        await bench.link.queue.put(StopPressed())
        await bench.link.wait_published(1)
    assert [topic.rpartition("/")[2] for topic, _ in bench.link.published] == ["fault"]


async def test_full_disk_does_not_spin(bench: Bench) -> None:
    bench.state.full = True
    bench.core.on(Ticked, SaveState(b"x"))
    bench.core.wake = lambda event, now: now.mono
    async with bench.running():
        await bench.wait_decided(StateSaveFailed)
        await asyncio.sleep(0.1)
    assert sum(isinstance(event, Ticked) for event in bench.journal.lines) == 1


async def test_wake_that_is_put_off_comes_once_and_not_early(bench: Bench) -> None:
    """The core puts most of its wakes off with every second that goes as expected."""
    due: list[int] = []

    def wake(event: Event, now: Now) -> MonoMs | None:
        if isinstance(event, Ticked):
            due.append(now.mono - due[0])
            return None
        if not due:
            due.append(now.mono + 300)
            return MonoMs(now.mono + 60)
        return MonoMs(due[0])

    bench.core.wake = wake
    async with bench.running():
        await bench.wait_decided(Booted)
        await bench.tell(StopPressed())
        await bench.wait_decided(Ticked)
        await asyncio.sleep(0.1)
    assert len(due) == 2 and due[1] >= 0


async def test_wake_that_a_tick_asks_for_comes(bench: Bench) -> None:
    ticks: list[int] = []

    def wake(event: Event, now: Now) -> MonoMs | None:
        ticks.append(now.mono)
        return None if len(ticks) > 3 else MonoMs(now.mono + 20)

    bench.core.wake = wake
    async with bench.running():
        async with asyncio.timeout(5):
            while len(ticks) < 4:
                await asyncio.sleep(0.01)


async def test_wake_that_is_brought_forward_is_not_late(bench: Bench) -> None:
    bench.core.wake = lambda event, now: MonoMs(now.mono + (3_600_000 if isinstance(event, Booted) else 20))
    async with bench.running():
        await bench.wait_decided(Booted)
        await bench.tell(StopPressed())
        async with asyncio.timeout(5):
            await bench.wait_decided(Ticked)


async def test_wake_asked_for_by_a_wake_comes(bench: Bench) -> None:
    bench.core.wake = lambda event, now: MonoMs(now.mono + 20)
    async with bench.running():
        await bench.wait_decided(Booted)
        async with asyncio.timeout(5):
            while sum(isinstance(event, Ticked) for event in bench.journal.lines) < 4:
                await asyncio.sleep(0.02)


async def test_boot_without_readable_state(bench: Bench) -> None:
    bench.state.unreadable = True
    async with bench.running():
        await bench.wait_decided(Booted)
    booted = bench.runner.state[0]
    assert isinstance(booted, Booted)
    assert booted.damaged


async def test_boot_with_full_disk_goes_on(bench: Bench) -> None:
    bench.state.full = True
    bench.core.on(Booted, SaveState(b"x"), SWITCH)
    async with bench.running():
        await bench.wait_decided(Booted)
    assert bench.audio.told == [("silence", 0)]


async def test_boot_survives_registers_that_break_the_core(bench: Bench) -> None:
    def boot(event: Event, _: Now) -> tuple[()]:
        assert isinstance(event, Booted)
        if event.registers is not None:
            raise RuntimeError("cannot read this")
        return ()

    bench.core.rules[Booted] = boot
    bench.state.stored = Stored(b"registers", (b"envelope",))
    async with bench.running():
        await bench.wait_decided(Booted)
    booted = bench.runner.state[0]
    assert isinstance(booted, Booted)
    assert (booted.envelopes, booted.damaged) == ((b"envelope",), True)


async def test_tick_comes_at_its_time(bench: Bench) -> None:
    ticks: list[tuple[int, int]] = []

    def wake(event: Event, now: Now) -> MonoMs | None:
        if isinstance(event, Booted):
            ticks.append((now.mono + 30, 0))
            return MonoMs(now.mono + 30)
        if isinstance(event, Ticked):
            ticks.append((ticks[0][0], now.mono))
        return None

    bench.core.wake = wake
    async with bench.running():
        await bench.wait_decided(Ticked)
    due, came = ticks[-1]
    assert due <= came < due + 200


async def test_tick_that_asks_again_does_not_spin(bench: Bench) -> None:
    bench.core.wake = lambda event, now: now.mono
    async with bench.running():
        await bench.wait_decided(Booted)
        await asyncio.sleep(0.1)
    assert len(bench.runner.state) < 30


async def test_failing_core_changes_nothing(bench: Bench) -> None:
    def fail(event: Event, now: Now) -> tuple[()]:
        raise RuntimeError("a fault in the core")

    bench.core.rules[TalkPressed] = fail
    async with bench.running():
        await bench.link.queue.put(TalkPressed(False))
        await bench.tell(StopPressed())
    assert [type(event) for event in bench.runner.state] == [Booted, StopPressed]


async def test_failing_sound_path_ends_nothing(bench: Bench) -> None:
    bench.audio.broken = True
    bench.core.on(StopPressed, SWITCH, SaveState(b"after"))
    async with bench.running():
        await bench.tell(StopPressed())
    assert bench.state.saves == [b"after"]


async def test_failing_source_ends_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[Event]:
        raise RuntimeError("no such panel")
        yield

    bench = Bench(tmp_path, sources={"panel": broken})
    async with bench.running():
        await bench.tell(StopPressed())


async def test_wanted_medium_is_brought_in(bench: Bench) -> None:
    bench.core.on(StopPressed, FetchMedia(MEDIA, False))
    async with bench.running():
        await bench.link.queue.put(StopPressed())
        await bench.wait_decided(MediaStored)
        bench.core.on(TalkPressed, DeleteMedia(MEDIA.digest))
        await bench.tell(TalkPressed(False))
    assert bench.media.stored == set()


async def test_attestation_carries_its_nonce(bench: Bench) -> None:
    bench.core.on(Booted, AskAttestation())
    async with bench.running():
        await bench.wait_decided(AttestationReceived)
    received = bench.runner.state[-1]
    assert isinstance(received, AttestationReceived)
    assert (received.data, len(received.nonce)) == (b"attested", 32)


async def test_every_event_is_journalled(bench: Bench) -> None:
    async with bench.running():
        await bench.tell(StopPressed())
    assert [type(event) for event in bench.journal.lines] == [Booted, StopPressed]


async def test_urgent_event_goes_first() -> None:
    inbox = Inbox()
    bulk = ParcelReceived(b"", Route.DOC)
    puts = [asyncio.ensure_future(inbox.put(event)) for event in (bulk, bulk, TalkPressed(True))]
    await asyncio.sleep(0)
    taken = []
    for _ in puts:
        waiting = await inbox.take()
        taken.append(waiting.event)
        waiting.settle()
    await asyncio.gather(*puts)
    assert taken == [TalkPressed(True), bulk, bulk]


async def test_bringer_waits_for_the_decision() -> None:
    inbox = Inbox()
    put = asyncio.ensure_future(inbox.put(StopPressed()))
    waiting = await inbox.take()
    assert not put.done()
    waiting.settle()
    await put


def test_alerts_of_both_paths_are_urgent() -> None:
    assert is_urgent(EnvelopeReceived(b"", Route.ALERT))
    assert is_urgent(EnvelopeReceived(b"", Route.HTTP))
    assert not is_urgent(EnvelopeReceived(b"", Route.USB))
    assert not is_urgent(ParcelReceived(b"", Route.HTTP))


async def test_sound_clock_learns_what_the_core_has_seen_of_the_system_clock(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Now] = []
    monkeypatch.setattr("edge.believed_clock.BelievedClock.judged", lambda _, now: told.append(now))
    async with bench.running():
        await bench.tell(LinkChanged(True))
    assert len(told) >= 2
    assert told == sorted(told, key=lambda one: one.mono)
