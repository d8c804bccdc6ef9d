"""Disk, clocks, heat and line: what this machine and its files tell, made up where it cannot be had."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.broker.tls import server_context
from edge.adapters import tls
from hardware.ds3231 import ADDRESS, Ds3231
from hardware.errors import BoardError, CardLostError
from hardware.selftest import link
from hardware.selftest.clock import try_clock
from hardware.selftest.disk import try_disk, wear
from hardware.selftest.finding import Finding, Result
from hardware.selftest.link import read_line, try_link
from hardware.selftest.parts import Parts
from hardware.selftest.power import try_heat, try_power
from simulators.ds3231_chip import Ds3231Chip
from simulators.i2c_bus import SimI2cBus
from tests.contracts.papers import Authority, authority
from tests.hardware.selftest.desk import MORNING, bench


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def card(root: Path, **files: str) -> Path:
    return write(root, {f"sys/block/mmcblk0/device/{name}": text for name, text in files.items()})


@pytest.mark.slow
class TestDisk:
    """The data directory, and the card below it."""

    real_time = True

    async def test_disk_here_is_measured(self, tmp_path: Path) -> None:
        finding = await try_disk(bench(data=tmp_path, system=tmp_path))
        assert finding.result in (Result.OK, Result.WARN)
        assert float(finding.figures["fsync_p50_ms"]) <= float(finding.figures["fsync_p99_ms"])
        assert float(finding.figures["write_mb_per_s"]) > 0
        assert not list(tmp_path.iterdir())

    async def test_dying_card_fails(self, tmp_path: Path) -> None:
        system = card(tmp_path / "root", life_time="0x01 0x02", pre_eol_info="0x03")
        assert (await try_disk(bench(data=tmp_path, system=system))).result is Result.FAIL

    async def test_worn_card_warns(self, tmp_path: Path) -> None:
        system = card(tmp_path / "root", life_time="0x03 0x0a", pre_eol_info="0x01")
        finding = await try_disk(bench(data=tmp_path, system=system))
        assert finding.result is Result.WARN
        assert finding.figures["life_used_percent"] == 100

    async def test_directory_that_is_gone_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="gone"):
            await try_disk(bench(data=tmp_path / "gone"))


def test_wear_is_read(tmp_path: Path) -> None:
    root = card(tmp_path, life_time="0x02 0x01\n", pre_eol_info="0x01\n", name="SLD32G\n", type="MMC\n")
    write(root, {"sys/fs/ext4/mmcblk0p2/lifetime_write_kbytes": "2048000\n"})
    told = wear(root)
    assert told["life_used_percent"] == 20
    assert told["pre_eol"] == "normal"
    assert told["ext4_lifetime_write_mb"] == 2000
    assert told["card_name"] == "SLD32G"


def test_sd_card_keeps_its_wear_a_secret(tmp_path: Path) -> None:
    assert wear(card(tmp_path, name="SC32G", type="SD")) == {"card_name": "SC32G", "card_type": "SD"}


def test_wear_reads_rubbish(tmp_path: Path) -> None:
    dice = random.Random(5)
    for number in range(40):
        root = tmp_path / str(number)
        for name in ("life_time", "pre_eol_info", "name"):
            path = root / "sys/block/mmcblk0/device" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(dice.randbytes(dice.randrange(200)))
        (path := root / "sys/fs/ext4/x/lifetime_write_kbytes").parent.mkdir(parents=True)
        path.write_bytes(dice.randbytes(30))
        assert len(json.dumps(wear(root))) < 500


async def clock(tmp_path: Path, *, now: datetime = MORNING, chip: datetime | None = None) -> Finding:
    files = {} if chip is None else {"sys/class/rtc/rtc0/since_epoch": str(int(chip.timestamp()))}
    return await try_clock(bench(now=now, system=write(tmp_path, files)))


async def test_clock_and_chip_agree(tmp_path: Path) -> None:
    finding = await clock(tmp_path, chip=MORNING + timedelta(seconds=2))
    assert finding.result is not Result.FAIL
    assert finding.figures["chip_apart_s"] == 2.0


async def test_clock_and_chip_contradict_each_other(tmp_path: Path) -> None:
    assert (await clock(tmp_path, chip=MORNING - timedelta(hours=9))).result is Result.FAIL


async def test_clock_that_was_never_set_fails(tmp_path: Path) -> None:
    assert (await clock(tmp_path, now=datetime(1970, 1, 1, 0, 3, tzinfo=UTC))).result is Result.FAIL


async def test_chip_on_our_own_bus_is_asked() -> None:
    async def chip() -> datetime | None:
        return MORNING

    finding = await try_clock(bench(Parts(clock_chip=chip)))
    assert finding.figures["chip_apart_s"] == 0.0


@pytest.mark.parametrize("silent", [True, False])
async def test_chip_that_stopped_or_is_silent_fails(silent: bool) -> None:
    async def chip() -> datetime | None:
        if silent:
            raise CardLostError("no answer at 0x68")
        return None

    finding = await try_clock(bench(Parts(clock_chip=chip)))
    assert finding.result is Result.FAIL
    assert "clock chip" in finding.advice


def fresh_chip() -> tuple[Ds3231, Parts]:
    """A chip whose battery was just put in, on a bus, with nobody who ever set it."""
    bus = SimI2cBus()
    bus.chips[ADDRESS] = Ds3231Chip(time.time)
    chip = Ds3231(bus)

    async def read() -> datetime | None:
        told = chip.read()
        return datetime.fromtimestamp(told.utc_s, UTC) if told.trusted else None

    async def set_to(utc_s: int) -> None:
        chip.set(utc_s)

    return chip, Parts(clock_chip=read, set_clock_chip=set_to)


@pytest.mark.slow
class TestSettingTheChip:
    """Where no radio tells the time, the technician does, by a watch."""

    real_time = True

    async def test_right_hour_is_written(self) -> None:
        chip, parts = fresh_chip()
        finding = await try_clock(bench(parts, answers="y\n"))
        assert finding.figures["chip_was_set"] is True
        assert finding.result is not Result.FAIL
        told = chip.read()
        assert told.trusted and abs(told.utc_s - MORNING.timestamp()) <= 2

    @pytest.mark.parametrize("answers", ["n\n", "", None])
    async def test_nothing_is_written_unless_somebody_says_so(self, answers: str | None) -> None:
        chip, parts = fresh_chip()
        finding = await try_clock(bench(parts, answers=answers))
        assert finding.result is Result.FAIL
        assert "chip_was_set" not in finding.figures
        assert not chip.read().trusted

    async def test_hour_that_cannot_be_right_is_never_offered(self) -> None:
        chip, parts = fresh_chip()
        await try_clock(bench(parts, answers="y\n", now=datetime(1970, 1, 1, 0, 3, tzinfo=UTC)))
        assert not chip.read().trusted

    async def test_chip_that_agrees_is_left_alone(self) -> None:
        chip, parts = fresh_chip()
        chip.set(int(MORNING.timestamp()) - 30)
        finding = await try_clock(bench(parts, answers="y\n"))
        assert "chip_was_set" not in finding.figures

    async def test_chip_that_does_not_take_it_is_told(self) -> None:
        _, parts = fresh_chip()

        async def refuse(utc_s: int) -> None:
            raise CardLostError(f"no answer at 0x68 to {utc_s}")

        finding = await try_clock(bench(replace(parts, set_clock_chip=refuse), answers="y\n"))
        assert finding.result is Result.FAIL


async def test_chip_file_with_rubbish_is_no_chip(tmp_path: Path) -> None:
    for text in ("", "x", "9" * 30, "-1"):
        finding = await try_clock(bench(system=write(tmp_path, {"sys/class/rtc/rtc0/since_epoch": text})))
        assert "chip" not in finding.figures or text == "-1"


@pytest.mark.parametrize(
    ("flags", "result"), [("0", Result.OK), ("50000", Result.WARN), ("50005", Result.FAIL), ("x", Result.ABSENT)]
)
async def test_weak_supply_is_told(tmp_path: Path, flags: str, result: Result) -> None:
    system = write(tmp_path, {"sys/devices/platform/soc/soc:firmware/get_throttled": flags})
    assert (await try_power(bench(system=system))).result is result


@pytest.mark.parametrize(
    ("told", "result"),
    [
        ("52000", Result.OK),
        ("71000", Result.WARN),
        ("85123", Result.FAIL),
        ("999999", Result.ABSENT),
        ("hot", Result.ABSENT),
    ],
)
async def test_heat_is_told(tmp_path: Path, told: str, result: Result) -> None:
    system = write(tmp_path, {"sys/class/thermal/thermal_zone0/temp": told})
    assert (await try_heat(bench(system=system))).result is result


def test_line_agrees_with_the_agents() -> None:
    assert link.SERVER_NAME == tls.SERVER_NAME
    assert link.NO_CHECK_TIME == tls._NO_CHECK_TIME


@asynccontextmanager
async def answering(says: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that answers what it is asked with the same bytes; with none it waits, as a broker does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if await reader.read(4096) and says:
                writer.write(says)
                await writer.drain()
            writer.close()

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # refused handshakes are wanted
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


KNOWN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
UNKNOWN = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"


def device_file(directory: Path, http: int, mqtt: int, **more: str) -> Path:
    settings = {"device": "c07", "mqtt_host": "127.0.0.1", "mqtt_port": mqtt, "token": "" if more else "t"}
    settings["controller_url"] = f"http{'s' if more else ''}://127.0.0.1:{http}"
    path = directory / "device.json"
    path.write_text(json.dumps(settings | more))
    return path


@pytest.mark.slow
class TestLink:
    """Real sockets and real certificates."""

    real_time = True

    async def test_plain_line_on_this_machine(self, tmp_path: Path) -> None:
        async with answering(KNOWN) as http, answering(b"") as mqtt:
            finding = await try_link(bench(device_file=device_file(tmp_path, http, mqtt)))
        assert finding.result is Result.OK, finding
        assert finding.figures["controller_knows_us"] is True

    async def test_controller_that_does_not_know_us(self, tmp_path: Path) -> None:
        async with answering(UNKNOWN) as http, answering(b"") as mqtt:
            finding = await try_link(bench(device_file=device_file(tmp_path, http, mqtt)))
        assert finding.result is Result.FAIL
        assert "401" in finding.found

    async def test_something_else_answers(self, tmp_path: Path) -> None:
        async with answering(b"SSH-2.0-OpenSSH\r\n") as http, answering(b"") as mqtt:
            finding = await try_link(bench(device_file=device_file(tmp_path, http, mqtt)))
        assert finding.result is Result.FAIL
        assert "not a controller" in finding.found

    async def test_nobody_answers(self, tmp_path: Path) -> None:
        finding = await try_link(bench(device_file=device_file(tmp_path, 1, 1)))
        assert finding.result is Result.FAIL
        assert finding.figures["broker_reached"] is False

    async def test_certificate_of_our_province(self, tmp_path: Path) -> None:
        assert (await self._secured(tmp_path, authority(tmp_path / "ours"), None)).result is Result.OK

    async def test_certificate_of_another_province(self, tmp_path: Path) -> None:
        ours, theirs = authority(tmp_path / "ours"), authority(tmp_path / "theirs")
        finding = await self._secured(tmp_path, ours, theirs)
        assert finding.result is Result.FAIL
        assert finding.figures["controller_reached"] is False and finding.figures["broker_reached"] is False

    async def _secured(self, tmp_path: Path, served: Authority, showing: Authority | None) -> Finding:
        own, papers = served.enrol("c07"), (showing or served).enrol("c08")
        context = server_context(served.server)
        async with answering(KNOWN, context) as http, answering(b"", context) as mqtt:
            names = {"ca": str(own.ca), "certificate": str(papers.certificate), "key": str(papers.key)}
            return await try_link(bench(device_file=device_file(tmp_path, http, mqtt, **names)))

    async def test_papers_that_are_gone(self, tmp_path: Path) -> None:
        path = device_file(tmp_path, 1, 1, ca="ca.pem", certificate="c.pem", key="k.pem")
        finding = await try_link(bench(device_file=path))
        assert finding.result is Result.FAIL
        assert "papers" in finding.found


async def test_board_that_is_not_enrolled_has_no_line() -> None:
    assert (await try_link(bench())).result is Result.ABSENT


def test_device_file_with_rubbish_is_told(tmp_path: Path) -> None:
    dice, path = random.Random(6), tmp_path / "device.json"
    for data in (
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"mqtt_port": "x"}',
        b"[" * 5000,
        *(dice.randbytes(200) for _ in range(50)),
    ):
        path.write_bytes(data)
        with pytest.raises(BoardError):
            read_line(path)
