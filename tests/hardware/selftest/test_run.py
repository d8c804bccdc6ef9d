"""The whole run: exit codes, table, report, the lock of the agent, and trials that hang or stumble."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gpiozero import Device

from hardware.errors import CardLostError
from hardware.gpio_line import OutputLine
from hardware.interfaces import Button, GuardianState, GuardPlan
from hardware.selftest import hands
from hardware.selftest.__main__ import Run, main
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Finding, Judged, Result, Trial
from hardware.selftest.hands import try_buttons, try_lamps
from hardware.selftest.lock import AgentRunningError, alone_on
from hardware.selftest.options import read_options
from hardware.selftest.parts import Parts, Station
from hardware.selftest.relay import try_guardian, try_relay
from hardware.selftest.report import report_of, worst_of, write_report
from hardware.selftest.running import StuckWatch, judge
from hardware.selftest.sound import try_sound
from hardware.selftest.stations import try_tuner
from hardware.selftest.stepping import step_through
from hardware.selftest.table import Table, wants_colour
from hardware.selftest.trials import TRIALS
from simulators.board import SimBoard
from simulators.fm_station import SimEther, SimStation, SimTuner
from simulators.loop_clock import LoopClock
from simulators.mock_pins import MockPins
from tests.hardware.selftest.desk import bench

Try = Callable[[Bench], Awaitable[Finding]]


def never(_: Trial) -> None:
    raise AssertionError("nothing is stuck")


async def judged(*tries: Try, parts: Parts | None = None, within_s: float = 2.0) -> list[Judged]:
    trials = [Trial(str(at), "Disk", "all", one, within_s, sections=("disk",)) for at, one in enumerate(tries)]
    return [one async for one in judge(trials, bench(parts), stuck=StuckWatch(never))]


async def well(_: Bench) -> Finding:
    return Finding(Result.OK, "fine", figures={"x_ms": 1})


async def hanging(_: Bench) -> Finding:
    await asyncio.sleep(3600)
    raise AssertionError("it was interrupted")


async def lost(_: Bench) -> Finding:
    raise CardLostError("the card is gone")


async def stumbling(_: Bench) -> Finding:
    raise ZeroDivisionError("by nought")


async def test_every_trial_runs_whatever_the_others_do() -> None:
    found = [one.finding for one in await judged(hanging, lost, stumbling, well)]
    assert [one.result for one in found] == [Result.FAIL, Result.FAIL, Result.FAIL, Result.OK]
    assert "2 seconds" in found[0].found and found[1].found == "the card is gone" and "by nought" in found[2].found


async def test_part_that_could_not_be_opened_is_not_called_absent() -> None:
    (one,) = await judged(well, parts=Parts(broken={"disk": "no answer at 0x10"}))
    assert one.finding.result is Result.FAIL
    assert one.finding.found == "no answer at 0x10"


class TestHanging:
    """A driver that blocks the whole process."""

    real_time = True

    @pytest.mark.slow
    async def test_stuck_driver_is_left_behind(self) -> None:
        left: list[str] = []
        watch = StuckWatch(lambda trial: left.append(trial.name), after_s=0.05)
        import time

        async def blocking(_: Bench) -> Finding:
            time.sleep(0.4)
            return Finding(Result.OK, "")

        trial = Trial("stuck", "Disk", "", blocking, 0.1)
        assert [one async for one in judge([trial], bench(), stuck=watch)]
        assert left == ["stuck"]

    def test_horn_is_not_left_on_by_a_self_test_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pins, out, codes = MockPins(), io.StringIO(), list[int]()
        monkeypatch.setattr(Device, "pin_factory", pins.factory)
        monkeypatch.setattr(os, "_exit", codes.append)
        relay = OutputLine(17, factory=pins.factory)
        relay.set(True)
        run = Run(read_options(["--lang", "en", "--only", "sound"]), out)
        leaving = threading.Thread(target=run._leave, args=(TRIALS[-1],))
        leaving.start()
        leaving.join()
        assert pins.pin(17).function == "input"
        assert codes == [1]
        assert "driver hangs" in out.getvalue()

    async def test_agent_that_runs_keeps_the_board(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with (tmp_path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(AgentRunningError), alone_on(tmp_path):
                pass
        with alone_on(tmp_path), alone_on(tmp_path / "nobody"), alone_on(None):
            assert not (tmp_path / "nobody").exists()


def test_worst_counts() -> None:
    async def none(_: Bench) -> Finding:
        raise AssertionError

    trial = Trial("t", "Disk", "", none, 1.0)
    some = [Judged(trial, Finding(one, ""), 1) for one in (Result.OK, Result.ABSENT, Result.WARN)]
    assert worst_of([]) is Result.OK
    assert worst_of(some) is Result.WARN
    assert worst_of([*some, Judged(trial, Finding(Result.FAIL, ""), 1)]) is Result.FAIL


async def shown(*tries: Try, coloured: bool) -> str:
    out = io.StringIO()
    table = Table(out, coloured=coloured, columns=80)
    all_judged = await judged(*tries)
    for one in all_judged:
        table.show(one)
    table.close(all_judged)
    return out.getvalue()


async def test_table_says_what_to_do_and_what_is_lost() -> None:
    text = await shown(well, lost, coloured=False)
    assert "\x1b" not in text
    assert "good" in text and "BROKEN" in text and "→ Check" in text and "Without it: all" in text
    assert max(map(len, text.splitlines())) <= 80


async def test_table_on_a_terminal_is_coloured() -> None:
    assert "\x1b[1;31mBROKEN" in await shown(lost, coloured=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_that_want_them() -> None:
    assert wants_colour(Terminal(), {"TERM": "xterm"})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(Terminal(), {"TERM": "dumb"})
    assert not wants_colour(io.StringIO(), {"TERM": "xterm"})


async def test_report_is_read_by_machines(tmp_path: Path) -> None:
    report = report_of(await judged(well, lost), device="c07", board="standard", made_at=datetime.now(UTC))
    write_report(tmp_path / "r.json", report)
    read = json.loads((tmp_path / "r.json").read_text())
    assert read == report
    assert read["result"] == "fail" and read["trials"][0]["figures"] == {"x_ms": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize(
    "arguments", [["--level-db", "0"], ["--level-db", "-80"], ["--only", "dsik"], ["--lang", "fr"]]
)
def test_options_that_cannot_be_end_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_options(arguments)
    assert ended.value.code == 2


def test_trials_have_names_of_their_own() -> None:
    assert len({one.name for one in TRIALS}) == len(TRIALS)


def run(tmp_path: Path, *arguments: str) -> int:
    told = ["--data", str(tmp_path), "--unattended", "--lang", "en", *arguments]
    return main(told)


@pytest.mark.slow
def test_whole_run_writes_its_report(tmp_path: Path) -> None:
    assert run(tmp_path, "--only", "disk,heat", "--json", str(tmp_path / "r.json")) == 0
    assert [one["name"] for one in json.loads((tmp_path / "r.json").read_text())["trials"]] == ["heat", "disk"]


def test_run_beside_an_agent_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run(tmp_path, "--only", "lamps") == 2
        assert "systemctl stop" in capsys.readouterr().err
        assert run(tmp_path, "--only", "heat") == 0


def test_report_that_cannot_be_written_is_told_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--only", "disk", "--json", str(tmp_path / "none" / "r.json")) == 2
    told = capsys.readouterr()
    assert "--json" in told.err and not told.out
    assert run(tmp_path, "--only", "disk", "--json", str(tmp_path)) == 2


@pytest.mark.parametrize(
    "more", [["--board", "none.json"], ["--parts", "hardware.nobody:make"], ["--parts", "json:loads"]]
)
def test_run_that_cannot_begin_ends_with_two(
    tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(tmp_path, "--only", "lamps", *more) == 2
    assert "cannot run" in capsys.readouterr().err


@pytest.mark.slow
def test_command_speaks_vietnamese_and_no_colour_in_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hardware.selftest", "--data", str(tmp_path), "--only", "lamps,heat"]
    environment = {name: text for name, text in os.environ.items() if name != "LOALANG_LANG"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "Đèn báo" in done.stdout and "\x1b" not in done.stdout


# Hands, relay, guardian, tuner.


async def pressed(board: SimBoard, buttons: tuple[str, ...], *, present: bool, held: Button | None = None) -> Finding:
    if held is not None:
        board.buttons.hold(held, True)
    parts = Parts(panel=board.buttons, buttons=buttons)
    return await try_buttons(bench(parts, answers="" if present else None))


async def test_buttons_are_left_alone_when_nobody_is_there() -> None:
    finding = await pressed(SimBoard(LoopClock()), ("talk", "stop"), present=False)
    assert finding.result is Result.OK and "nobody" in finding.found


async def test_stuck_button_fails() -> None:
    finding = await pressed(SimBoard(LoopClock()), ("talk", "stop"), present=False, held=Button.TALK)
    assert finding.result is Result.FAIL and "talk button" in finding.found


async def test_button_that_does_not_answer_is_named() -> None:
    board = SimBoard(LoopClock())
    asyncio.get_running_loop().call_later(2, board.buttons.press_talk)
    finding = await pressed(board, ("talk", "stop"), present=True)
    assert finding.result is Result.FAIL
    assert "stop button" in finding.found and "talk" not in finding.found
    assert finding.figures["talk_answers"] is True


async def test_all_buttons_answer() -> None:
    board = SimBoard(LoopClock())
    asyncio.get_running_loop().call_later(2, board.buttons.press_talk)
    asyncio.get_running_loop().call_later(4, board.buttons.press_stop)
    assert (await pressed(board, ("talk", "stop"), present=True)).result is Result.OK


async def test_lamps_are_lit_and_dark_again() -> None:
    board = SimBoard(LoopClock())
    seen: list[bool] = []
    for at in range(0, 60, 5):
        asyncio.get_running_loop().call_later(at / 100, lambda: seen.append(board.sim_lamps.lit("fault")))
    finding = await try_lamps(bench(Parts(lamps=board.lamps())))
    assert finding.result is Result.OK and finding.figures["seen"] is False
    assert any(seen) and not board.sim_lamps.lit("fault")


async def test_relay_is_switched_on_and_off_again() -> None:
    board = SimBoard(LoopClock())
    finding = await try_relay(bench(Parts(amplifier=board.amplifier(), meter=board.meter())))
    assert finding.result is Result.OK
    assert "on_cdb" in finding.figures and not board.sim_amplifier.on


class TestPresent:
    """Answers come from a thread that reads the terminal."""

    real_time = True

    @pytest.mark.slow
    @pytest.mark.parametrize(("answer", "result"), [("y\n", Result.OK), ("n\n", Result.FAIL)])
    async def test_lamps_are_looked_at(self, answer: str, result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hands, "_LIT_S", 0.01)
        board = SimBoard(LoopClock())
        assert (await try_lamps(bench(Parts(lamps=board.lamps()), answers=answer))).result is result


class Guard:
    """Says what it is told to say."""

    def __init__(self, state: GuardianState | None) -> None:
        self._state, self.beats = state, 0

    async def beat(self, wall_ms: int | None) -> None:
        assert wall_ms is None, "a self-test has no believed time to tell"
        self.beats += 1
        if self.beats == 2:
            raise CardLostError("the line was taken away for a moment")

    async def arm(self, plan: GuardPlan) -> None:
        raise AssertionError("the plan stays")

    def state(self) -> GuardianState | None:
        return self._state


@pytest.mark.parametrize(
    ("state", "result"),
    [
        (None, Result.FAIL),
        (GuardianState("computer", 7, 3, "power"), Result.OK),
        (GuardianState("computer", 7, 3, "watchdog"), Result.WARN),
        (GuardianState("computer", 0, 1, "power"), Result.WARN),
        (GuardianState("computer", 7, 300, "power"), Result.WARN),
    ],
)
async def test_guardian_is_asked_and_not_changed(state: GuardianState | None, result: Result) -> None:
    guard = Guard(state)
    parts = Parts(guardian=guard)
    async with parts.awake():
        await asyncio.sleep(2)
        assert (await try_guardian(bench(parts))).result is result
    assert guard.beats >= 4


async def test_guardian_that_lets_nobody_through_keeps_the_sound_back() -> None:
    board = SimBoard(LoopClock())
    guard = Guard(GuardianState("silence", 7, 3, "power"))
    finding = await try_sound(bench(Parts(card=board.card(), guardian=guard)))
    assert finding.result is Result.FAIL and "guardian" in finding.found
    assert board.sound_card.frames_written == 0


async def test_band_is_stepped_through_where_the_tuner_cannot_seek() -> None:
    stations = (SimStation(91_000, b"\0\0", pi="D301", rssi_dbuv=48), SimStation(102_700, b"\0\0", rssi_dbuv=30))
    faint = SimStation(105_000, b"\0\0", rssi_dbuv=12)
    tuner = SimTuner(LoopClock(), SimEther(*stations, faint))
    found = await step_through(tuner)
    assert found == (Station(91_000, 48, "D301"), Station(102_700, 30))


async def scanned(*stations: Station) -> Finding:
    async def scan() -> tuple[Station, ...]:
        return stations

    return await try_tuner(bench(Parts(scan=scan)))


async def test_stations_are_listed() -> None:
    finding = await scanned(Station(91_000, 48, "D301", "VOV1\x1b[2J "), Station(100_500, 20))
    assert finding.result is Result.OK
    assert finding.rows[1] == ("91.0", "48", "D301", "VOV1[2J")
    assert finding.rows[2] == ("100.5", "20", "–", "–")


async def test_weak_stations_and_none() -> None:
    assert (await scanned(Station(91_000, 12))).result is Result.WARN
    assert (await scanned()).result is Result.FAIL
