"""Chapters under the horns: at the second, through a storm, under a microphone, after a power cut, by FM or not."""

from __future__ import annotations

from typing import Any, Final

from simulators.face import NetworkWeather, StationWeather, TalkSource
from simulators.story.ear import CORRELATION_MIN, UNBROKEN_MIN, Ear, Sound, check_found
from simulators.story.office import Plan
from simulators.story.stage import CUT, FOREIGN, LACKING, MAIN, POWER, Stage
from simulators.story.steps import Figures, Steps, check
from simulators.village import Village

OFFSET_MS_MAX: Final = 60.0
"""Two horns further apart than this are heard as an echo."""
_JUDGED_MS: Final = 8_000
_CUT_AT_MS, _MENDED_AT_MS = 3_000, 7_500
_TALK_AT_MS, _HUSH_AT_MS = 9_000, 12_000
_BACK_AFTER_MS: Final = 1_000
_DARK_AT_MS, _LIGHT_AT_MS = 5_000, 8_000
_RESUMED_MS: Final = 13_000


async def programmes(steps: Steps, stage: Stage, plan: Plan) -> None:
    """The typed text and the file, each at its second."""
    ear = stage.ear(MAIN)
    async with steps.step("text_played") as figures:
        await _heard(ear, plan.text, (0, plan.text.duration_ms), start_ms=plan.start, figures=figures)
    async with steps.step("file_played") as figures:
        await _heard(ear, plan.file, (0, _JUDGED_MS), start_ms=plan.file_start, figures=figures)
    async with steps.step("as_run_log") as figures:
        runs = await stage.auditor.wait_for("/as-run", _whole_runs(stage.device(MAIN).device), within_s=10)
        figures["level_cdb"] = runs[0]["level_cdb"]


def _whole_runs(device: str) -> Any:
    def holds(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one for one in runs if one["device"] == device and one["end_reason"] == "complete"]

    return holds


async def _heard(
    ear: Ear,
    sound: Sound,
    part: tuple[float, float],
    *,
    start_ms: float,
    figures: Figures,
    least: float = CORRELATION_MIN,
) -> None:
    found = await ear.programme(sound, *part, start_ms=start_ms)
    figures |= {"offset_error_ms": round(found.offset_ms, 2), "correlation": round(found.correlation, 3)}
    check_found(found, "the programme", least=least)
    check(abs(found.offset_ms) <= OFFSET_MS_MAX, f"it is {found.offset_ms:.0f} ms beside its place")


async def storm(steps: Steps, stage: Stage, plan: Plan, *, back_after_ms: int = _BACK_AFTER_MS) -> None:
    """The network dies in the middle of a programme; then somebody takes the microphone.

    Args:
        back_after_ms: so long after the voice the programme is there again.
    """
    device, ear = stage.device(CUT), stage.ear(CUT)
    async with steps.step("network_cut") as figures:
        await ear.until(plan.start + _CUT_AT_MS)
        await device.set_network(NetworkWeather.CUT)
        await device.wait_state(lambda state: not state.link_up, within_s=4)
        whole = (500, _MENDED_AT_MS)
        await _heard(ear, plan.long, whole, start_ms=plan.start, figures=figures, least=UNBROKEN_MIN)
        await device.set_network(NetworkWeather.UP)
    async with steps.step("microphone") as figures:
        await ear.until(plan.start + _TALK_AT_MS)
        await device.talk(TalkSource.RECORDING)
        await ear.until(plan.start + _HUSH_AT_MS)
        await device.release()
        voice = device.recording[:96_000]
        found = await ear.somewhere(voice, plan.start + _TALK_AT_MS, plan.start + _HUSH_AT_MS)
        figures |= {"begins_after_ms": round(found.offset_ms), "correlation": round(found.correlation, 3)}
        check_found(found, "the voice at the microphone")
    async with steps.step("programme_goes_on") as figures:
        back_ms = _HUSH_AT_MS + back_after_ms
        part = (back_ms, back_ms + 4_000)
        await _heard(ear, plan.long, part, start_ms=plan.start, figures=figures)


async def power_cut(steps: Steps, stage: Stage, plan: Plan) -> None:
    """The plug is pulled in the middle of a programme and put in again."""
    device, ear = stage.device(POWER), stage.ear(POWER)
    async with steps.step("power_cut"):
        await ear.sound(plan.start + 1_000, plan.start + _DARK_AT_MS)
        await device.set_power(False)
        await ear.silence(plan.start + _DARK_AT_MS + 300, plan.start + _LIGHT_AT_MS)
        await device.set_power(True)
    async with steps.step("programme_resumes") as figures:
        part = (_RESUMED_MS, _RESUMED_MS + 4_000)
        await _heard(ear, plan.long, part, start_ms=plan.start, figures=figures)


async def fm_relay(steps: Steps, stage: Stage, plan: Plan) -> None:
    """What never arrived: FM inside its window, silence outside."""
    device, ear = stage.device(LACKING), stage.ear(LACKING)
    async with steps.step("fm_in_its_window") as figures:
        await device.wait_state(lambda state: state.fm.opened is not None, within_s=30)
        begin_ms, end_ms = plan.fm_shuts - 3_500, plan.fm_shuts - 1_000
        found = await ear.piece_of(stage.village.programmes.own[0], begin_ms, end_ms)
        figures["correlation"] = round(found.correlation, 3)
        check_found(found, "the relayed station")
    async with steps.step("silence_outside_the_window"):
        await ear.silence(plan.fm_shuts + 500, plan.fm_shuts + 3_000)
    async with steps.step("missing_programme_is_told"):
        await _fault(stage, LACKING, "media_missing")


async def foreign_station(steps: Steps, stage: Stage, plan: Plan) -> None:
    """A stronger station with another identity comes in; it is never opened."""
    ear = stage.ear(FOREIGN)
    async with steps.step("foreign_station_refused"):
        await ear.until(plan.start)
        await _fault(stage, FOREIGN, "fm_refused")
        await ear.silence(plan.start - 500, plan.fm_shuts + 1_000)


def let_foreign_station_in(village: Village) -> None:
    """From before the first start on."""
    village.at(FOREIGN).set_station(StationWeather.FOREIGN)


async def _fault(stage: Stage, place: str, code: str) -> None:
    """The fault is on the controller."""
    path = f"/devices/{stage.device(place).device}"
    await stage.auditor.wait_for(path, lambda answer: code in answer.get("faults", ()), within_s=10)
