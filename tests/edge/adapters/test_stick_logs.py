"""Logs on a stick: sealed, whole or not there, never over anything, never anywhere else."""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.adapters.journal import Journal
from edge.adapters.outbox import SqliteOutbox
from edge.adapters.stick_logs import FILES_A_DAY_MAX, StickLogs
from edge.adapters.system_clock import SystemClock
from edge.adapters.usb_stick import UsbStick
from edge.core.agent import initial
from edge.core.events import LinkChanged, ParcelReceived, Route
from edge.core.state import AgentState
from edge.disk import Disk
from edge.reporter import Letter
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.errors import DocumentError
from protocol.sealed import LogKey, read_label, unseal
from tests.contracts.full_disk import small_disk
from tests.edge.core.office import IDENTITY

KEY = LogKey.from_secret(b"k" * 32)
NOW = Now(MonoMs(5), WallMs(1_764_000_000_000), ClockTrust.NONE)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    (tmp_path / "usb" / "loalang-logs").mkdir(parents=True)
    return tmp_path / "usb"


@pytest.fixture
def state() -> AgentState:
    anchor = replace(IDENTITY.anchor, log_key=KEY.public)
    return initial(replace(IDENTITY, anchor=anchor))


@pytest.fixture
def logs(tmp_path: Path, state: AgentState) -> StickLogs:
    (tmp_path / "data").mkdir()
    return StickLogs(tmp_path / "data", SystemClock(), lambda: state, nothing)


@pytest.fixture
def outbox(tmp_path: Path, logs: StickLogs) -> Iterator[SqliteOutbox]:
    made = SqliteOutbox(tmp_path / "data" / "outbox.db")
    yield made
    made.close()


async def nothing() -> None: ...


def fill(outbox: SqliteOutbox, count: int) -> None:
    outbox.append([Letter("up/receipt", b'{"n":%d}' % number, 0) for number in range(count)])


def written(stick: Path) -> list[Path]:
    return sorted((stick / "loalang-logs").iterdir())


def opened(path: Path, key: LogKey = KEY) -> list[list[Any]]:
    data = b"".join(unseal(io.BytesIO(path.read_bytes()).read, key))
    return [json.loads(line) for line in data.splitlines()]


def test_log_says_who_and_what_waits(stick: Path, logs: StickLogs, outbox: SqliteOutbox) -> None:
    fill(outbox, 1200)
    logs.write(stick)
    (path,) = written(stick)
    assert path.name == "can-tho-c01-undated.sealed"
    assert json.loads(read_label(io.BytesIO(path.read_bytes()).read)) == {"device": "can-tho-c01", "log": 1}
    lines = opened(path)
    assert lines[0][1]["place"] == IDENTITY.place
    assert [line[0] for line in lines[:3]] == ["log", "status", "versions"]
    assert [line[2]["n"] for line in lines[3:]] == list(reversed(range(1200)))
    assert len(outbox.oldest(2000)) == 1200, "they still wait for the network"


async def test_journal_goes_out_newest_first(stick: Path, tmp_path: Path, logs: StickLogs) -> None:
    journal = Journal(tmp_path / "data" / "journal", disk=Disk(None), file_bytes_max=100)
    for number in range(5):
        journal.record(NOW, LinkChanged(number % 2 == 0))
        await journal.flush()
    with next((tmp_path / "data" / "journal").glob("*5.jsonl"), tmp_path / "x").open("ab") as file:
        file.write(b'[5,"torn')
    logs.write(stick)
    told = [line[1] for line in opened(written(stick)[0]) if line[0] == "journal"]
    assert [line[3]["up"] for line in told] == [True, False, True, False, True][-len(told) :]
    assert len(told) >= 4


def test_as_much_as_fits_goes_out(stick: Path, logs: StickLogs, outbox: SqliteOutbox) -> None:
    fill(outbox, 20_000)
    replace(logs, bytes_max=200_000).write(stick)
    (path,) = written(stick)
    assert path.stat().st_size < 202_000
    lines = opened(path)
    assert lines[3][2]["n"] == 19_999
    assert lines[-1] == ["left out", 20_000 - len(lines) + 4]


def test_nobody_else_reads_it(stick: Path, logs: StickLogs) -> None:
    logs.write(stick)
    with pytest.raises(DocumentError):
        opened(written(stick)[0], LogKey.generate())
    assert IDENTITY.place.encode() not in written(stick)[0].read_bytes()


def test_no_key_no_log(stick: Path, logs: StickLogs) -> None:
    replace(logs, state=lambda: initial(IDENTITY)).write(stick)
    replace(logs, state=lambda: None).write(stick)
    weak = replace(IDENTITY, anchor=replace(IDENTITY.anchor, log_key="00" * 32))
    replace(logs, state=lambda: initial(weak)).write(stick)
    assert written(stick) == []


def test_nothing_is_written_over(stick: Path, logs: StickLogs, tmp_path: Path) -> None:
    stranger = stick / "loalang-logs" / "can-tho-c01-undated.sealed"
    stranger.write_text("a stranger's")
    (stick / "loalang-logs" / "can-tho-c01-undated-2.sealed").symlink_to(tmp_path / "elsewhere")
    logs.write(stick)
    assert stranger.read_text() == "a stranger's"
    assert not (tmp_path / "elsewhere").exists()
    assert opened(stick / "loalang-logs" / "can-tho-c01-undated-3.sealed")


def test_forgotten_stick_is_not_filled_up(stick: Path, logs: StickLogs) -> None:
    for _ in range(FILES_A_DAY_MAX + 3):
        logs.write(stick)
    assert len(written(stick)) == FILES_A_DAY_MAX


def test_half_a_log_of_a_stick_that_was_pulled_out_is_replaced(stick: Path, logs: StickLogs, tmp_path: Path) -> None:
    half = stick / "loalang-logs" / ".can-tho-c01-undated.sealed.part"
    half.symlink_to(tmp_path / "elsewhere")
    logs.write(stick)
    (path,) = written(stick)
    assert opened(path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("kind", ["link", "file", "missing"])
def test_other_than_a_directory_gets_nothing(tmp_path: Path, logs: StickLogs, kind: str) -> None:
    usb, elsewhere = tmp_path / "usb", tmp_path / "elsewhere"
    usb.mkdir()
    elsewhere.mkdir()
    if kind == "link":
        (usb / "loalang-logs").symlink_to(elsewhere)
    elif kind == "file":
        (usb / "loalang-logs").write_text("")
    with pytest.raises(OSError):
        logs.write(usb)
    assert list(elsewhere.iterdir()) == []


def test_full_stick(tmp_path: Path, logs: StickLogs, outbox: SqliteOutbox) -> None:
    fill(outbox, 20_000)
    with small_disk(tmp_path / "usb", size_bytes=640 * 1024) as usb:
        (usb / "loalang-logs").mkdir()
        logs.write(usb)
        assert opened(written(usb)[0])[-1][0] == "left out"
        (usb / "filler").write_bytes(bytes(os.statvfs(usb).f_bavail * 4096))
        logs.write(usb)
        assert len(written(usb)) == 1


@pytest.mark.slow
def test_stick_that_is_full_after_all(stick: Path, logs: StickLogs, outbox: SqliteOutbox) -> None:
    """It said that there is room. A limit on the size of files breaks off in the middle in the same way."""
    fill(outbox, 20_000)
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, former[1]))
    try:
        with pytest.raises(OSError):
            logs.write(stick)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert written(stick) == []


def test_read_only_stick(tmp_path: Path, logs: StickLogs) -> None:
    with small_disk(tmp_path / "usb", size_bytes=1024 * 1024) as usb:
        (usb / "loalang-logs").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", str(usb)], check=True)
        with pytest.raises(OSError):
            logs.write(usb)


async def test_once_for_each_time_it_is_put_in(stick: Path, logs: StickLogs) -> None:
    events = UsbStick(stick, period_s=0.01, logs=logs).events()
    watching = asyncio.ensure_future(anext(events))
    logs_directory = stick / "loalang-logs"
    await _until(lambda: len(written(stick)) == 1)
    await asyncio.sleep(0.05)
    assert len(written(stick)) == 1
    logs_directory.rename(stick / "away")
    await asyncio.sleep(0.05)
    (stick / "away").rename(logs_directory)
    await _until(lambda: len(written(stick)) == 2)
    watching.cancel()


async def test_bundle_is_told_before_the_logs_are_written(stick: Path, logs: StickLogs) -> None:
    (stick / "loalang-bundle.json").write_bytes(b"parcel")
    events = UsbStick(stick, period_s=0.01, logs=logs).events()
    assert await anext(events) == ParcelReceived(b"parcel", Route.USB)
    assert written(stick) == []
    watching = asyncio.ensure_future(anext(events))
    await _until(lambda: len(written(stick)) == 1)
    watching.cancel()


async def test_stick_that_takes_no_logs_still_brings_documents(stick: Path, logs: StickLogs) -> None:
    for number in range(1, FILES_A_DAY_MAX + 1):
        suffix = f"-{number}" if number > 1 else ""
        (stick / "loalang-logs" / f"can-tho-c01-undated{suffix}.sealed").mkdir()
    events = UsbStick(stick, period_s=0.01, logs=logs).events()
    watching = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.03)
    (stick / "new").write_bytes(b"parcel")
    (stick / "new").rename(stick / "loalang-bundle.json")
    assert await asyncio.wait_for(watching, 5) == ParcelReceived(b"parcel", Route.USB)


async def _until(true: Any) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)
