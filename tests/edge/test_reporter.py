"""Reports on their way up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge.adapters.outbox import SqliteOutbox
from edge.disk import Disk
from edge.reporter import AWAITED_MAX, Confirmations, Letter, Reporter
from protocol import codec
from protocol.clock import WallMs
from protocol.report import (
    AsRun,
    Confirmation,
    EndReason,
    Fault,
    FaultCode,
    Receipt,
    Standing,
    Status,
    report_mark,
)
from protocol.units import UnitPath
from tests.edge.bench import HandLink


def status(level_cdb: int) -> Status:
    return Status(
        device="dev-c07",
        unit=UnitPath("vn/92/31498/c07"),
        wall=WallMs(1),
        rung=9,
        level_cdb=level_cdb,
        clock="none",
        agent_version="1",
        boot_id="1",
        media_held=0,
        media_wanted=0,
    )


def fault(number: int) -> Fault:
    return Fault("dev-c07", FaultCode.CARD_LOST, WallMs(number))


RECEIPT = Receipt("dev-c07", "0" * 64, "schedule", Standing.RECEIVED, WallMs(1))
AS_RUN = AsRun("1", "dev-c07", 6, "a" * 64, WallMs(1), WallMs(2), EndReason.COMPLETE, -2000)


class Desk:
    """A reporter between a hand-held link and an outbox on disk."""

    def __init__(self, directory: Path, *, confirmations: Confirmations | None = None, again_s: float = 30.0) -> None:
        self.link = HandLink()
        self.outbox = SqliteOutbox(directory / "outbox.db")
        self.confirmations = confirmations
        self.reporter = Reporter(
            "dev-c07",
            self.link,
            outbox=self.outbox,
            disk=Disk(None),
            confirmations=confirmations,
            again_s=(again_s, 8 * again_s),
        )

    def topics(self) -> list[str]:
        return [topic.rpartition("/")[2] for topic, _ in self.link.published]

    def confirm(self, *payloads: bytes) -> None:
        assert self.confirmations is not None
        self.confirmations.tell(codec.encode(Confirmation(tuple(report_mark(one) for one in payloads))))

    async def wait_kept(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.outbox.oldest(1000)) != count:
                await asyncio.sleep(0.001)


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[Desk]:
    task = asyncio.create_task(desk.reporter.run())
    yield desk
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    desk.outbox.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running(Desk(tmp_path)) as desk:
        yield desk


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk that the controller tells what is stored."""
    async with running(Desk(tmp_path, confirmations=Confirmations(), again_s=0.1)) as desk:
        yield desk


async def test_reports_wait_for_the_link(desk: Desk) -> None:
    await desk.reporter.publish([fault(1), RECEIPT, AS_RUN])
    await asyncio.sleep(0.02)
    assert desk.link.published == []
    desk.reporter.link_changed(True)
    await desk.link.wait_published(3)
    assert desk.topics() == ["fault", "receipt", "as_run"]


async def test_each_report_goes_once(desk: Desk) -> None:
    desk.reporter.link_changed(True)
    for number in range(20):
        await desk.reporter.publish([fault(number)])
    await desk.link.wait_published(20)
    await asyncio.sleep(0.02)
    assert len({payload for _, payload in desk.link.published}) == len(desk.link.published) == 20
    assert desk.outbox.oldest(10) == ()


async def test_latest_status_only(desk: Desk) -> None:
    await desk.reporter.publish([status(-1)])
    await desk.reporter.publish([status(-2)])
    desk.reporter.link_changed(True)
    await desk.link.wait_published(1)
    await asyncio.sleep(0.02)
    assert len(desk.link.published) == 1
    assert b'"level_cdb":-2' in desk.link.published[0][1]


async def test_status_does_not_queue_behind_reports(desk: Desk) -> None:
    await desk.reporter.publish([fault(number) for number in range(100)])
    await desk.reporter.publish([status(-1)])
    desk.reporter.link_changed(True)
    await desk.link.wait_published(20)
    assert "status" in desk.topics()[:20]


@pytest.mark.slow
async def test_refused_report_is_sent_again(desk: Desk) -> None:
    desk.link.failing = True
    desk.reporter.link_changed(True)
    await desk.reporter.publish([fault(1)])
    await asyncio.sleep(0.02)
    desk.link.failing = False
    await desk.link.wait_published(1)
    assert desk.topics() == ["fault"]


async def test_reports_survive_a_restart(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    await first.reporter.publish([fault(1), AS_RUN])
    first.outbox.close()
    second = Desk(tmp_path)
    assert [kept.letter.topic.rpartition("/")[2] for kept in second.outbox.oldest(5)] == ["fault", "as_run"]
    second.outbox.close()


def letters(worth: int, count: int) -> list[Letter]:
    return [Letter(f"worth/{worth}", b"%d" % number, worth) for number in range(count)]


def test_as_run_records_stay_longest(tmp_path: Path) -> None:
    outbox = SqliteOutbox(tmp_path / "outbox.db", letters_max=300)
    outbox.append(letters(2, 150))
    outbox.append(letters(0, 140))
    outbox.append(letters(1, 20))
    worths = [kept.letter.worth for kept in outbox.oldest(1000)]
    outbox.close()
    assert (worths.count(2), worths.count(1)) == (150, 20)
    assert worths.count(0) < 140


def test_damaged_outbox_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"x" * 10_000)
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    assert outbox.oldest(1) == ()
    outbox.append(letters(1, 1))
    assert len(outbox.oldest(5)) == 1
    outbox.close()


async def test_report_is_kept_until_it_is_stored(told: Desk) -> None:
    told.reporter.link_changed(True)
    await told.reporter.publish([fault(1), fault(2)])
    await told.link.wait_published(2)
    assert len(told.outbox.oldest(5)) == 2
    told.confirm(told.link.published[1][1])
    await told.wait_kept(1)
    assert told.outbox.oldest(5)[0].letter.payload == told.link.published[0][1]


async def test_word_that_comes_before_the_broker_counts(told: Desk) -> None:
    class Quick(HandLink):
        async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
            told.confirm(payload)
            await super().publish(topic, payload, retain=retain)

    told.reporter._link = Quick()
    told.reporter.link_changed(True)
    await told.reporter.publish([fault(1)])
    await told.wait_kept(0)


async def test_report_without_a_word_is_sent_again(told: Desk) -> None:
    told.reporter.link_changed(True)
    await told.reporter.publish([fault(1)])
    await told.link.wait_published(2)
    assert told.link.published[0] == told.link.published[1]


async def test_reports_go_again_when_the_link_is_back(tmp_path: Path) -> None:
    async with running(Desk(tmp_path, confirmations=Confirmations())) as told:
        told.reporter.link_changed(True)
        await told.reporter.publish([fault(1)])
        await told.link.wait_published(1)
        told.reporter.link_changed(False)
        told.reporter.link_changed(True)
        await told.link.wait_published(2)
        told.confirm(told.link.published[0][1])
        await told.wait_kept(0)


async def test_few_reports_wait_for_a_word(tmp_path: Path) -> None:
    """With the controller away the broker would hold the whole village's records otherwise."""
    async with running(Desk(tmp_path, confirmations=Confirmations())) as told:
        told.reporter.link_changed(True)
        await told.reporter.publish([fault(number) for number in range(100)])
        await told.link.wait_published(AWAITED_MAX)
        await asyncio.sleep(0.02)
        assert len(told.link.published) == AWAITED_MAX
        told.confirm(*(payload for _, payload in told.link.published))
        await told.link.wait_published(2 * AWAITED_MAX)
        assert len({payload for _, payload in told.link.published}) == 2 * AWAITED_MAX


RUBBISH = (b"", b"{}", b'{"reports":[7]}', b"[" * 50_000, b'{"reports":["' + b"a" * 33 + b'"]}')


@pytest.mark.parametrize("rubbish", RUBBISH)
async def test_rubbish_confirms_nothing(told: Desk, rubbish: bytes) -> None:
    await told.reporter.publish([fault(1)])
    assert told.confirmations is not None
    told.confirmations.tell(rubbish)
    await asyncio.sleep(0)
    assert len(told.outbox.oldest(5)) == 1
