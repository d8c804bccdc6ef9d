"""The agent's side: a real child, asked at start, by the clock, and by a stick."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.core.events import RootReceived, RootRefused
from edge.root_watch import Rhythm, RootPlaces, RootWatch
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.errors import Refusal
from simulators.tuf_repository import TufRepository
from tests.edge.updates.conftest import wall
from tests.edge.updates.web import drip_for_ever, serving

AT_ONCE = Rhythm(first_s=0.0, every_s=0.2, retry_s=0.05, look_s=0.02)
NEVER = Rhythm(first_s=3600.0, look_s=0.02)


class FixedClock:
    """Says one time."""

    def __init__(self, moment: datetime) -> None:
        self._wall = wall(moment)

    def now(self) -> Now:
        return Now(MonoMs(0), WallMs(self._wall), ClockTrust.NONE)

    async def sleep_until(self, at: MonoMs) -> None:
        raise NotImplementedError


class Town:
    """A repository and one device that knows its root."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.repository = folder, TufRepository(begin=datetime.now(UTC))
        (folder / "root.json").write_bytes(self.repository.files["metadata/1.root.json"])

    def publish(self, anchor: bytes) -> None:
        self.repository.add("anchor.json", anchor)
        self.repository.renew("targets")

    def watch(
        self,
        *,
        url: str = "http://127.0.0.1:1",
        rhythm: Rhythm = AT_ONCE,
        days: tuple[int, ...] = (0,),
        child_s: float = 20,
    ) -> RootWatch:
        places = RootPlaces(self.folder / "root.json", self.folder / "data", url, usb=self.folder / "usb")
        clocks = tuple(FixedClock(datetime.now(UTC) + timedelta(days=one)) for one in days)
        return RootWatch(places, clocks, rhythm, child_s)

    def put_in_stick(self) -> None:
        for path, data in self.repository.files.items():
            place = self.folder / "usb" / "loalang-root" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    made = Town(tmp_path)
    made.publish(b"first")
    return made


async def first(watch: RootWatch) -> RootReceived | RootRefused:
    async with asyncio.timeout(20), aclosing(watch.events()) as events:
        return await anext(events)


@pytest.mark.slow
async def test_words_come_after_the_start_and_when_they_change(town: Town) -> None:
    with serving(town.repository.files) as web:
        async with asyncio.timeout(20), aclosing(town.watch(url=web.url).events()) as events:
            assert await anext(events) == RootReceived(b"first", None)
            town.publish(b"second")
            assert await anext(events) == RootReceived(b"second", None)


async def test_trusted_words_are_told_without_a_network(town: Town) -> None:
    targets = town.folder / "data" / "targets"
    targets.mkdir(parents=True)
    (targets / "anchor.json").write_bytes(b"held")
    (targets / "root-word.json").write_bytes(b"word")
    assert await first(town.watch(rhythm=NEVER)) == RootReceived(b"held", b"word")


@pytest.mark.slow
async def test_stick_brings_words_without_a_network(town: Town) -> None:
    town.put_in_stick()
    assert await first(town.watch(rhythm=NEVER)) == RootReceived(b"first", None)


@pytest.mark.slow
async def test_floor_that_ran_ahead_does_not_keep_the_root_out(town: Town) -> None:
    # The believed clock is decades ahead, and only the root can say so.
    town.put_in_stick()
    assert await first(town.watch(rhythm=NEVER, days=(0, 20_000))) == RootReceived(b"first", None)


@pytest.mark.slow
async def test_failure_is_tried_again(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    hidden = town.repository.files.pop("metadata/timestamp.json")
    with serving(town.repository.files) as web:
        asking = asyncio.ensure_future(first(town.watch(url=web.url)))
        while web.asked.count("/metadata/timestamp.json") < 2:
            await asyncio.sleep(0.01)
        town.repository.files["metadata/timestamp.json"] = hidden
        assert await asking == RootReceived(b"first", None)
    assert "the root's words did not come: DownloadHTTPError" in caplog.text


@pytest.mark.slow
async def test_refused_files_are_told_and_missing_ones_are_not(town: Town) -> None:
    town.repository.publish("timestamp", signers=[])
    with serving(town.repository.files) as web:
        refused = await first(town.watch(url=web.url))
    assert isinstance(refused, RootRefused)
    assert refused.refusal is Refusal.THRESHOLD_NOT_MET and "timestamp" in refused.detail
    assert town.watch()._refused is None


@pytest.mark.slow
async def test_child_that_takes_too_long_is_ended(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    with serving({"metadata/2.root.json": drip_for_ever}) as web:
        watch = town.watch(url=web.url, child_s=1.0)
        asking = asyncio.ensure_future(first(watch))
        async with asyncio.timeout(20):
            while watch._child is None or watch._child.returncode is None:
                await asyncio.sleep(0.01)
        assert watch._child.returncode == -signal.SIGKILL
        assert "nothing complete came within 1 s" in caplog.text
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
