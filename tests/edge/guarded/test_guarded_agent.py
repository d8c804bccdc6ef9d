"""What a village hears of the agent through its guardian, told by the samples."""

from __future__ import annotations

import asyncio
import logging

import pytest

from protocol.audible_config import Fallback, Window
from protocol.document import Kind
from protocol.report import FaultCode
from simulators.tone_voice import tone_speech
from tests.edge.guarded.conftest import MakeSquare
from tests.edge.guarded.square import AFTERNOON, MINUTE, PROGRAMME_MS, SECOND, START, Square

pytestmark = pytest.mark.slow
HUNG: float = START + 10 * SECOND
"""In the middle of the programme."""


async def hung(square: Square) -> float:
    """The programme sounds, and in the middle of it the computer hangs."""
    await square.ready()
    await square.until(HUNG)
    assert square.hears_programme(START + SECOND, HUNG)
    return await square.hang()


async def test_programme_is_heard_through_the_relay_to_the_last_sample(opened: MakeSquare) -> None:
    heard = []
    for name in ("plain", "guarded"):
        square = await opened(name=name, guarded=name == "guarded")
        await square.power_up()
        await square.until(START + PROGRAMME_MS + 5 * SECOND)
        assert square.hears_programme(START + SECOND, START + PROGRAMME_MS - SECOND)
        heard.append(square.speaker.heard(START - SECOND, START + PROGRAMME_MS + 5 * SECOND).samples.strip(b"\0"))
        await square.speaker.close()
    assert heard[0] == heard[1]


async def test_agent_that_hangs_in_the_window_gives_way_to_fm(opened: MakeSquare) -> None:
    square = await opened()
    at = await hung(square)
    await square.until(at + 15 * SECOND)
    began = square.sounds_again_ms(at + SECOND)
    assert began is not None and 2400 <= began - at <= 3700, "the last beat was up to half a second before"
    assert square.hears_station(began, at + 15 * SECOND)


async def test_agent_that_hangs_outside_the_windows_leaves_silence(opened: MakeSquare) -> None:
    square = await opened(fm_windows=(AFTERNOON,))
    at = await hung(square)
    await square.until(at + 30 * SECOND)
    assert square.hears_nothing(at + SECOND, at + 30 * SECOND)
    assert not square.board.sim_amplifier.on


async def test_agent_that_hangs_in_quiet_hours_leaves_silence_until_they_end(opened: MakeSquare) -> None:
    square = await opened(quiet_hours=(Window(9 * 3600 + 75, 9 * 3600 + 120),))
    at = await hung(square)
    ends = START + MINUTE
    await square.until(ends + 10 * SECOND)
    assert square.hears_station(at + 3700, START + 15 * SECOND), "they have not begun yet"
    assert square.hears_nothing(START + 15 * SECOND + 50, ends)
    assert square.hears_station(ends + 3 * SECOND, ends + 10 * SECOND)


async def test_policy_of_silence_leaves_silence(opened: MakeSquare) -> None:
    square = await opened(on_computer_dead=Fallback.SILENCE)
    at = await hung(square)
    await square.until(at + 30 * SECOND)
    assert square.hears_nothing(at + SECOND, at + 30 * SECOND)


async def test_agent_that_comes_back_goes_on_where_its_programme_would_be(opened: MakeSquare) -> None:
    square = await opened()
    at = await hung(square)
    await square.until(at + 8 * SECOND)
    assert square.hears_station(at + 4 * SECOND, at + 8 * SECOND)
    await square.come_back()
    back = square.now
    await square.until(START + PROGRAMME_MS + 15 * SECOND)
    assert square.hears_programme(back + 4 * SECOND, START + PROGRAMME_MS - SECOND)
    assert square.hears_nothing(START + PROGRAMME_MS + SECOND, square.now), "nothing is left of the station"


async def test_emergency_gets_through_at_once_when_the_agent_is_back(opened: MakeSquare) -> None:
    square = await opened()
    await square.ready()
    at = await square.hang()
    await square.until(at + 20 * SECOND)
    assert square.hears_station(at + 5 * SECOND, at + 20 * SECOND)
    alert = square.offices.alert()
    await square.retain(square.config, square.schedule)
    await square.come_back()
    back = square.now
    await square.speaker.wait_state(lambda state: state.link_up)
    square.send(Kind.ALERT, alert)
    sent = square.now
    assert square.guardian.through == "fm", "it had no time to give way"
    await square.speaker.until_heard(tone_speech(alert.parts[0].text), sent, within_s=15)
    assert sent - back < 3 * SECOND
    assert not square.hears_station(sent + 2 * SECOND, sent + 3 * SECOND)
    assert not square.hears_nothing(sent + 2 * SECOND, sent + 3 * SECOND), "its tone"
    assert square.faults(FaultCode.SOUND_UNEXPECTED) == []
    await square.call_off(alert)


async def test_station_that_a_living_agent_shut_is_no_stray_sound(opened: MakeSquare) -> None:
    square = await opened()
    await square.ready()
    at = await square.hang()
    await square.until(at + 20 * SECOND)
    await square.come_back()
    await square.until(at + 40 * SECOND)
    assert square.faults(FaultCode.SOUND_UNEXPECTED) == []
    assert square.hears_nothing(at + 25 * SECOND, square.now)


async def test_sound_path_that_hangs_stops_the_beats(opened: MakeSquare, monkeypatch: pytest.MonkeyPatch) -> None:
    square = await opened()
    await square.ready()
    free, card = asyncio.Event(), square.board.sound_card
    write = card.write

    async def stuck(frame: bytes) -> None:
        await free.wait()
        await write(frame)

    await square.until(HUNG)
    monkeypatch.setattr(card, "write", stuck)
    await square.until(HUNG + 12 * SECOND)
    began = square.sounds_again_ms(HUNG + SECOND)
    assert began is not None and 4 * SECOND <= began - HUNG <= 6 * SECOND, "two seconds stuck, three without a beat"
    assert square.hears_station(began, HUNG + 12 * SECOND)
    monkeypatch.undo()
    free.set()
    moved = square.now
    await square.until(moved + 6 * SECOND)
    assert square.hears_some_programme(moved + 3 * SECOND)


@pytest.mark.parametrize("by", ["panel", "operator"])
async def test_stop_holds_when_the_agent_hangs_after_it(opened: MakeSquare, by: str) -> None:
    square = await opened()
    await square.ready()
    await square.until(HUNG)
    if by == "panel":
        square.board.buttons.press_stop()
    else:
        square.send(Kind.STOP, square.offices.stop(for_ms=40 * SECOND))
    state = await square.speaker.wait_state(lambda state: state.stop is not None)
    assert state.stop is not None
    until = state.stop.until
    await asyncio.sleep(2)
    at = await square.hang()
    end = min(until, at + MINUTE)
    await square.until(end)
    assert square.hears_nothing(at, end)
    if until <= end:
        await square.until(until + 10 * SECOND)
        assert square.hears_station(until + 3 * SECOND, until + 10 * SECOND), "it was for so long and no longer"


async def test_guardian_that_is_lost_is_told_and_comes_back(opened: MakeSquare) -> None:
    square = await opened()
    await square.ready()
    square.guardian.fail(True)
    await square.until(START - 30 * SECOND)
    assert [one.ended for one in square.faults(FaultCode.GUARDIAN_LOST)] == [None]
    square.guardian.fail(False)
    await square.until(START + 10 * SECOND)
    assert [one.ended is None for one in square.faults(FaultCode.GUARDIAN_LOST)] == [True, False]
    assert square.hears_programme(START + SECOND, START + 10 * SECOND)
    at = await square.hang()
    await square.until(at + 10 * SECOND)
    assert square.hears_station(at + 4 * SECOND, at + 10 * SECOND), "it has its plan and the hour again"


async def test_plan_of_an_agent_that_started_anew_is_not_refused(
    opened: MakeSquare, caplog: pytest.LogCaptureFixture
) -> None:
    square = await opened()
    versions = []
    for _ in range(3):
        await square.ready()
        state = square.guardian.state()
        assert state is not None
        versions.append(state.plan_version)
        await square.hang()
    assert versions == sorted(set(versions))
    refused = [
        one for one in caplog.records if "does not take its plan" in one.message and one.levelno > logging.INFO
    ]
    assert refused == []


async def test_plan_of_an_agent_that_lost_its_disk_is_not_refused(opened: MakeSquare) -> None:
    square = await opened()
    for _ in range(2):
        await square.ready()
        await square.hang()
    square.speaker.data.rename(square.speaker.data.with_name("lost"))
    await square.retain(square.send(Kind.AUDIBLE_CONFIG, square.offices.config()), square.schedule)
    before = square.guardian._guard.plan_version
    await square.ready()
    state = square.guardian.state()
    assert state is not None and state.plan_version > before
    at = await square.hang()
    await square.until(at + 15 * SECOND)
    assert square.hears_nothing(at + 4 * SECOND, square.now), "the new rules want silence"
