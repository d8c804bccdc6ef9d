"""First chapter, in the offices: sound comes in, bulletins are composed, approved by another person and signed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from protocol.clock import WallMs
from simulators.story import material
from simulators.story.ear import Sound, fetched
from simulators.story.stage import (
    CUT,
    FOREIGN,
    LACKING,
    MAIN,
    POWER,
    QUIET,
    Office,
    Stage,
    clock_window,
    present,
    rules,
    sign_rules,
    sign_schedule,
)
from simulators.story.steps import Steps, check

AHEAD_MS: Final = 16_000
"""From composing to the first start: approval, three signatures, and the way to the devices."""
FM_SHUTS_MS: Final = 9_000
_GAP_MS: Final = 2_000
_SECOND_MS: Final = 1000
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Library:
    """What was uploaded and spoken, as the controller keeps it."""

    file: dict[str, Any]
    long: dict[str, Any]
    text: dict[str, Any]
    missing: dict[str, Any]
    quiet: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall sound when.

    Attributes:
        start: of everything but the file, which follows the text.
        fm_shuts: end of the FM window.
    """

    start: WallMs
    file_start: WallMs
    fm_shuts: WallMs
    file: Sound
    long: Sound
    text: Sound


async def fill_library(steps: Steps, stage: Stage, *, audio: Path | None, speech: Path) -> Library:
    """Sound comes in: a file, and typed texts that are spoken."""
    author = stage.ke_sach.author
    async with steps.step("upload") as figures:
        file = await author.upload(audio or speech, unit=stage.ke_sach.unit, title="Bản tin")
        figures |= {"source": (audio or speech).name, "duration_ms": file["duration_ms"]}
    async with steps.step("speak") as figures:
        text, missing, quiet = await asyncio.gather(
            author.speak(material.TEXT, unit=stage.ke_sach.unit, title="Tiêm phòng"),
            stage.long_phu.author.speak(material.MISSING_TEXT, unit=stage.long_phu.unit, title="Chưa tải về"),
            stage.tran_de.author.speak(material.QUIET_TEXT, unit=stage.tran_de.unit, title="Giờ yên tĩnh"),
        )
        figures["duration_ms"] = text["duration_ms"]
    long = file if audio is None else await author.upload(speech, unit=stage.ke_sach.unit, title="Bản tin dài")
    return Library(file, long, text, missing, quiet)


async def sign_first_rules(steps: Steps, stage: Stage) -> None:
    """No quiet hours yet, and a first schedule without items: something older than what comes."""
    async with steps.step("rules_signed"):
        await asyncio.gather(*(sign_rules(office, rules()) for office in stage.offices))
        await sign_schedule(stage.ke_sach)


async def plan_evening(steps: Steps, stage: Stage, library: Library) -> Plan:
    """Composes, approves and signs everything that will sound."""
    sounds = [await fetched(stage.controller, one) for one in (library.file, library.long, library.text)]
    start = WallMs((present() + AHEAD_MS) // _SECOND_MS * _SECOND_MS)
    after_text = start + library.text["duration_ms"] + _GAP_MS
    plan = Plan(start, WallMs(after_text), WallMs(start + FM_SHUTS_MS), sounds[0], sounds[1], sounds[2])
    async with steps.step("composed"):
        written = await _compose_all(stage, library, plan)
    async with steps.step("approved"):
        await asyncio.gather(*(_approve(office, bulletins) for office, bulletins in written))
    async with steps.step("signed"):
        # Its programme must not slip in between signature and storm.
        stage.device(LACKING).web.cut()
        stage.device(FOREIGN).web.cut()
        await asyncio.gather(*(sign_schedule(office) for office, _ in written))
        await _sign_evening_rules(stage, plan)
    return plan


async def _compose_all(stage: Stage, library: Library, plan: Plan) -> list[tuple[Office, list[str]]]:
    wanted = (
        (stage.ke_sach, library.text, plan.start, [MAIN]),
        (stage.ke_sach, library.file, plan.file_start, [MAIN]),
        (stage.ke_sach, library.long, plan.start, [CUT, POWER]),
        (stage.long_phu, library.missing, plan.start, [LACKING, FOREIGN]),
        (stage.tran_de, library.quiet, plan.start, [QUIET]),
    )
    made: dict[str, tuple[Office, list[str]]] = {}
    for office, media, start, targets in wanted:
        bulletin = await office.author.compose(
            media, unit=office.unit, title=media["title"], start_ms=start, targets=targets
        )
        made.setdefault(office.unit, (office, []))[1].append(bulletin)
    return list(made.values())


async def _approve(office: Office, bulletins: list[str]) -> None:
    for one in bulletins:
        await office.approver.approve(one)


async def _sign_evening_rules(stage: Stage, plan: Plan) -> None:
    """FM may open in Long Phú for a while; in Trần Đề the quiet hours have begun."""
    hour_ago, in_an_hour = WallMs(plan.start - _HOUR_MS), WallMs(plan.start + _HOUR_MS)
    fm = clock_window(hour_ago, plan.fm_shuts)
    quiet = clock_window(hour_ago, in_an_hour)
    await asyncio.gather(sign_rules(stage.long_phu, rules(fm=[fm])), sign_rules(stage.tran_de, rules(quiet=[quiet])))


async def delivered(steps: Steps, stage: Stage) -> None:
    """The controller sees that devices received what was signed, and have its sound."""
    wanted = {MAIN: 2, CUT: 1, POWER: 1, LACKING: 0, FOREIGN: 0, QUIET: 1}
    async with steps.step("received"):
        await asyncio.gather(*(_obeys(stage, place) for place in wanted))
    async with steps.step("ready"):
        await asyncio.gather(*(_holds(stage, place, count) for place, count in wanted.items() if count))
    for place in (LACKING, FOREIGN):
        status = stage.device(place).status()
        check(status is not None and status.media_held == 0, "a programme arrived although its line was cut")


async def _obeys(stage: Stage, place: str) -> None:
    device = stage.device(place)
    unit = place.rpartition("/")[0]
    least = 2 if unit == stage.ke_sach.unit else 1

    def holds(answer: dict[str, Any]) -> bool:
        known = {(one["scope"], one["kind"]): one["version"] for one in answer.get("in_force", ())}
        return bool(known.get((unit, "schedule"), 0) >= least)

    await stage.auditor.wait_for(f"/devices/{device.device}", holds, within_s=10)


async def _holds(stage: Stage, place: str, count: int) -> None:
    def holds(answer: dict[str, Any]) -> bool:
        return answer.get("media_held") == answer.get("media_wanted") == count

    await stage.auditor.wait_for(f"/devices/{stage.device(place).device}", holds, within_s=10)
