"""The sweep through a simulated horn and back, and the microphone in a simulated room."""

from __future__ import annotations

import array
import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from hardware.interfaces import FRAME_SAMPLES
from hardware.selftest.finding import Finding, Result
from hardware.selftest.hearing import try_microphone
from hardware.selftest.parts import Parts
from hardware.selftest.quiet import SoundPermission
from hardware.selftest.relay import try_relay
from hardware.selftest.sound import try_sound
from hardware.selftest.sweep import SWEEP_FRAMES, TONES_HZ, find, sweep, unpacked
from simulators.board import SimBoard
from simulators.loop_clock import LoopClock
from tests.hardware.selftest.desk import MORNING, NIGHT, bench


def room(frames: list[bytes], *, delay: int, gain_db: float, noise_dbfs: float) -> list[bytes]:
    """What a microphone hears of frames: later by so many samples, quieter, and with noise."""
    gain, spread, dice = 10 ** (gain_db / 20), 32_767 * 10 ** (noise_dbfs / 20), random.Random(4)
    dry = [0] * delay + [sample for frame in frames for sample in unpacked(frame)]
    wet = [max(-32_768, min(32_767, round(one * gain + dice.gauss(0, spread)))) for one in dry]
    whole = len(wet) - len(wet) % FRAME_SAMPLES
    return [array.array("h", wet[at : at + FRAME_SAMPLES]).tobytes() for at in range(0, whole, FRAME_SAMPLES)]


@pytest.mark.slow
@pytest.mark.parametrize(("delay", "gain_db"), [(480, -6), (4800, -15), (19_200, -10)])
def test_sweep_is_found_in_a_noisy_room(delay: int, gain_db: float) -> None:
    heard = find(room(sweep(-30), delay=delay, gain_db=gain_db, noise_dbfs=-45))
    assert heard.correlation > 0.8
    assert abs(heard.delay_ms - delay / 48) <= 20
    assert abs(heard.level_dbfs - (-30 + gain_db)) < 2
    assert heard.clear_hz() == TONES_HZ


@pytest.mark.slow
def test_noise_alone_is_no_sweep() -> None:
    heard = find(room(sweep(-30), delay=0, gain_db=-200, noise_dbfs=-30))
    assert heard.correlation < 0.1
    assert not heard.clear_hz()


def test_sweep_stays_below_its_level() -> None:
    loudest = max(abs(sample) for frame in sweep(-30) for sample in unpacked(frame))
    assert loudest <= round(32_767 * 10 ** (-30 / 20))


@pytest.mark.parametrize("frames", [[], [b""], [b"\0\0"], [bytes(1920)] * (SWEEP_FRAMES + 3), [b"\x7f\xff" * 960]])
def test_finding_takes_whatever_was_heard(frames: list[bytes]) -> None:
    assert find(frames).correlation <= 1.0


@asynccontextmanager
async def open_board(hears: Callable[[bytes], bytes] | None, *, metered: bool = True) -> AsyncIterator[SimBoard]:
    """A board whose microphone hears its own horn, changed a little."""
    board = SimBoard(LoopClock(), metered=metered)

    async def carry() -> None:
        async for frame in board.horn.frames():
            if hears is not None:
                board.sim_microphone.hear(hears(frame))

    carrying = asyncio.create_task(carry())
    try:
        yield board
    finally:
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)


def parts_of(board: SimBoard) -> Parts:
    return Parts(card=board.card(), microphone=board.microphone(), amplifier=board.amplifier(), meter=board.meter())


def quieter(frame: bytes) -> bytes:
    return array.array("h", [sample // 4 for sample in unpacked(frame)]).tobytes()


async def sounded(board: SimBoard) -> Finding:
    return await try_sound(bench(parts_of(board)))


@pytest.mark.slow
async def test_sound_heard_back_is_good() -> None:
    async with open_board(quieter) as board:
        finding = await sounded(board)
    assert finding.result is Result.OK, finding
    assert float(finding.figures["correlation"]) > 0.8
    assert -45 < float(finding.figures["heard_dbfs"]) < -40
    assert not board.sim_amplifier.on


@pytest.mark.slow
async def test_sound_that_leaves_and_is_not_heard_is_trusted_to_the_meter() -> None:
    async with open_board(None) as board:
        finding = await sounded(board)
    assert finding.result is Result.OK
    assert "does not hear" in finding.found


@pytest.mark.slow
async def test_sound_with_dead_amplifier_fails() -> None:
    async with open_board(None) as board:
        parts = parts_of(board)
        finding = await try_sound(bench(Parts(card=parts.card, meter=parts.meter)))
    assert finding.result is Result.FAIL
    assert "amplifier" in finding.advice


@pytest.mark.slow
async def test_sound_nobody_can_hear_sends_a_person() -> None:
    async with open_board(None, metered=False) as board:
        finding = await try_sound(bench(Parts(card=board.card(), amplifier=board.amplifier())))
    assert finding.result is Result.WARN
    assert "go and listen" in finding.advice


async def test_amplifier_goes_off_when_the_card_is_lost() -> None:
    async with open_board(None) as board:
        board.sound_card.unplug()
        with pytest.raises(Exception, match="unplugged"):
            await sounded(board)
        assert not board.sim_amplifier.on


@pytest.mark.parametrize("trial", [try_sound, try_relay])
async def test_nothing_sounds_by_night(trial: Callable[..., AsyncIterator[Finding]]) -> None:
    async with open_board(None) as board:
        finding = await trial(bench(parts_of(board), now=NIGHT))  # type: ignore[misc]
        assert finding.result is Result.WARN
        assert board.sound_card.frames_written == 0 and not board.sim_amplifier.on


class TestPermission:
    """Who may let it sound, and when."""

    real_time = True

    async def test_day_needs_a_yes(self) -> None:
        assert await bench(yes=False).permission.refusal()
        assert await bench(yes=False, answers="\n").permission.refusal()
        assert not await bench(yes=False, answers="y\n").permission.refusal()
        assert not await bench(yes=False, answers="Có\n").permission.refusal()
        assert not await bench(yes=True).permission.refusal()

    async def test_night_needs_a_word_of_its_own(self) -> None:
        assert await bench(now=NIGHT, yes=True).permission.refusal()
        assert await bench(now=NIGHT, yes=True, answers="y\n").permission.refusal()
        assert await bench(now=NIGHT, yes=False, at_night=True).permission.refusal()
        assert not await bench(now=NIGHT, yes=True, at_night=True).permission.refusal()
        assert not await bench(now=NIGHT, yes=False, at_night=True, answers="y\n").permission.refusal()

    async def test_unset_clock_may_be_night(self) -> None:
        unset = MORNING.replace(year=1970)
        assert await bench(now=unset, yes=True).permission.refusal()
        assert not await bench(now=unset, yes=True, answers="y\n").permission.refusal()
        assert not await bench(now=unset, yes=True, at_night=True).permission.refusal()

    async def test_person_is_asked_once(self) -> None:
        asked = bench(yes=False, answers="y\n").permission
        assert not await asked.refusal()
        assert not await asked.refusal()

    @pytest.mark.parametrize(("hour", "night"), [(5, True), (6, False), (20, False), (21, True)])
    async def test_night_is_vietnamese(self, hour: int, night: bool) -> None:
        now = MORNING.replace(hour=(hour - 7) % 24)
        nobody = bench().technician
        assert bool(await SoundPermission(nobody, now, yes=True, at_night=False).refusal()) is night


def tone(hz: float, level_dbfs: float, *, seconds: float = 10.0) -> bytes:
    peak = 32_767 * 10 ** (level_dbfs / 20)
    turn = 2 * math.pi * hz / 48_000
    return array.array("h", [round(peak * math.sin(turn * at)) for at in range(round(48_000 * seconds))]).tobytes()


async def heard(recording: bytes, *, answers: str | None = None) -> Finding:
    board = SimBoard(LoopClock())
    board.sim_microphone.recording = recording
    return await try_microphone(bench(Parts(microphone=board.microphone()), answers=answers))


async def test_microphone_that_hears_no_sample_move_fails() -> None:
    assert (await heard(b"")).result is Result.FAIL


@pytest.mark.slow
async def test_microphone_that_hums_is_told() -> None:
    finding = await heard(tone(50, -35))
    assert finding.result is Result.WARN and "hums" in finding.advice
    assert abs(float(finding.figures["hum_dbfs"]) + 35) < 1


@pytest.mark.slow
async def test_microphone_in_a_quiet_room_is_good() -> None:
    finding = await heard(tone(1333, -60))
    assert finding.result is Result.OK
    assert float(finding.figures["noise_dbfs"]) == pytest.approx(-60, abs=0.5)
    assert float(finding.figures["hum_dbfs"]) < -70


@pytest.mark.slow
async def test_microphone_hears_the_technician() -> None:
    quiet, voice = tone(1333, -60, seconds=2.8), tone(440, -20, seconds=6)
    finding = await heard(quiet + voice, answers="")
    assert finding.result is Result.OK, finding
    assert float(finding.figures["voice_dbfs"]) == pytest.approx(-20, abs=1)


@pytest.mark.slow
async def test_microphone_with_no_voice_fails_beside_a_technician() -> None:
    assert (await heard(tone(1333, -60), answers="")).result is Result.FAIL


async def test_absent_parts_are_named_absent() -> None:
    for trial in (try_sound, try_microphone, try_relay):
        assert (await trial(bench())).result is Result.ABSENT


class Humming:
    """A meter whose rectifier rests at a level of its own, whatever sounds."""

    def level_cdb(self) -> int | None:
        return -4000


@pytest.mark.slow
async def test_meter_that_shows_the_same_in_silence_proves_nothing() -> None:
    async with open_board(None) as board:
        finding = await try_sound(bench(Parts(card=board.card(), amplifier=board.amplifier(), meter=Humming())))
    assert finding.result is Result.FAIL
    assert finding.figures["metered_rest_cdb"] == -4000
