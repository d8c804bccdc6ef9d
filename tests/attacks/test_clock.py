"""Lying clocks: the hour is never guessed, and nobody but two sources that agree moves it."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import pytest
from aiohttp import web

from edge.core.events import ClockSource
from protocol import codec
from protocol.clock import DAY_MS, ClockTrust, WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.errors import Refusal
from protocol.freshness import Attestation
from protocol.report import FaultCode
from simulators.attacker import PATHS
from simulators.listening import first_sound_ms
from simulators.tone_voice import tone_speech
from tests.attacks.offices import C1, FRESHNESS, NINE, STRANGER, seal
from tests.attacks.scene import Scene

TEN_PAST: Final = NINE + 600_000
AHEAD_MS: Final = 580_000
"""So wrong that ten past nine is twenty seconds after nine."""
HOUR_MS: Final = 3_600_000


def says(scene: Scene, error_ms: int) -> None:
    """The attacker's attestations are so wrong, under the true freshness key."""
    scene.attacker.web.wall = lambda: WallMs(scene.wall + error_ms)


def sources(scene: Scene, **errors: int | None) -> None:
    """How wrong each source is from now on; None says nothing."""
    for name, error in errors.items():
        scene.speaker.board.time_sources.set_error(ClockSource(name), error)


def trust(scene: Scene) -> str:
    """What the device says about its clock."""
    return scene.attacker.statuses()[-1].clock


@pytest.mark.parametrize("error_ms", (AHEAD_MS, -HOUR_MS, 365 * DAY_MS))
async def test_ntp_lies_when_two_had_agreed(scene: Scene, error_ms: int) -> None:
    """NTP jumps after two sources had agreed — one liar moves nothing, the programme keeps its hour."""
    sources(scene, ntp=error_ms)
    says(scene, error_ms)
    await scene.speaker.silent_for(120)
    await scene.programme_heard(TEN_PAST)


async def test_ntp_creeps(scene: Scene) -> None:
    """NTP creeps ahead by twenty seconds a minute — it drags half a minute along, then it is left alone."""
    for minute in range(9):
        sources(scene, ntp=20_000 * minute)
        await scene.speaker.silent_for(60)
    await scene.until(TEN_PAST + 3000)
    began = first_sound_ms(scene.speaker.heard(TEN_PAST - 59_000))
    assert began is not None and -31_000 < began - TEN_PAST < 2000


async def test_system_clock_is_set_by_the_liar(scene: Scene) -> None:
    """NTP sets the operating system's clock ahead — the agent goes by its own monotonic time since it agreed."""
    scene.speaker.clock.offset_ms += AHEAD_MS
    sources(scene, ntp=0, rtc=-AHEAD_MS)
    says(scene, 0)
    await scene.speaker.silent_for(120)
    scene.speaker.clock.offset_ms -= AHEAD_MS
    sources(scene, ntp=0, rtc=0)
    await scene.programme_heard(TEN_PAST)


async def test_attestation_lies_when_two_had_agreed(scene: Scene) -> None:
    """the stolen freshness key tells another hour — while two sources agree the controller is not even asked."""
    says(scene, AHEAD_MS)
    scene.attacker.web.asked.clear()
    await scene.speaker.silent_for(60)
    assert "/device/v1/attest" not in scene.attacker.web.asked
    await scene.programme_heard(TEN_PAST)


@pytest.mark.parametrize("error_ms", (AHEAD_MS, -HOUR_MS))
async def test_everything_lies_but_the_chip_after_a_power_cut(scene: Scene, error_ms: int) -> None:
    """after a power cut NTP and the stolen freshness key tell the same lie — the clock chip contradicts them."""
    await scene.speaker.cut_power()
    sources(scene, ntp=None, rtc=0)
    says(scene, error_ms)
    scene.attacker.broker.retained.clear()
    await scene.boot()
    began = scene.wall
    await asyncio.sleep(5)
    scene.speaker.board.time_sources.set_error(ClockSource.NTP, -error_ms // 2)
    await scene.speaker.silent_for(120, since_ms=began)
    assert abs(scene.attacker.statuses()[-1].wall - scene.wall) < 120_000 or trust(scene) == "none"


async def restarted(scene: Scene) -> None:
    """A start without a battery clock and without NTP: only the controller could tell the hour."""
    await scene.speaker.cut_power()
    sources(scene, ntp=None, rtc=None)
    await scene.boot()
    await scene.speaker.wait_state(lambda state: state.link_up)


async def test_dead_chip_and_nobody_answers(scene: Scene) -> None:
    """after a power cut without a clock chip nobody tells the hour — no programme, no emergency, and a fault."""
    scene.attacker.web.wall = None
    await restarted(scene)
    began = scene.wall
    scene.send(Kind.ALERT, scene.offices.alert())
    await scene.speaker.silent_for((TEN_PAST - began) / 1000 + 40, since_ms=began)
    assert FaultCode.CLOCK_NOT_TRUSTED in {one.code for one in scene.attacker.faults()}
    says(scene, 0)
    await scene.speaker.wait_state(lambda state: state.clock.attested is not None)
    await scene.still_obeys()


async def test_dead_chip_and_ntp_alone(scene: Scene) -> None:
    """after a power cut without a clock chip NTP alone tells an hour — one source is no agreement."""
    scene.attacker.web.wall = None
    await scene.speaker.cut_power()
    sources(scene, ntp=AHEAD_MS, rtc=None)
    await scene.boot()
    await scene.speaker.silent_for(120)
    await asyncio.sleep(10)
    assert trust(scene) == "none"
    says(scene, 0)
    await scene.speaker.wait_state(lambda state: state.clock.attested is not None)
    await scene.still_obeys()


async def test_dead_chip_and_time_below_the_floor(scene: Scene) -> None:
    """no clock chip, and the stolen freshness key tells yesterday — below the last signed time nothing counts."""
    alert = scene.offices.alert(issued=WallMs(NINE - DAY_MS), expires=WallMs(NINE - DAY_MS + 600_000))
    withheld = seal(Kind.ALERT, alert, C1)
    says(scene, -DAY_MS)
    await restarted(scene)
    began = scene.wall
    for path in PATHS:
        await scene.attacker.deliver(path, withheld.pack())
        await asyncio.sleep(5)
    await scene.speaker.silent_for(60, since_ms=began)
    assert FaultCode.CLOCK_NOT_TRUSTED in {one.code for one in scene.attacker.faults()}
    says(scene, 0)
    await scene.attacker.until(lambda: trust(scene) == "attested")
    await scene.still_obeys()


LIES = ("another nonce", "another key", "the year 2200", "too late", "not an attestation", "two answers")


@pytest.mark.parametrize("lie", LIES)
async def test_attestation_forged(scene: Scene, lie: str) -> None:
    """answers with an old nonce, another key, an impossible year, or too late — none of them is an answer to us."""
    former: list[str] = ["0" * 32]

    async def attest(request: web.Request) -> web.StreamResponse:
        nonce = (await request.json())["nonce"]
        wall = WallMs(scene.wall + AHEAD_MS)
        made = {
            "another nonce": sign(Kind.ATTESTATION, codec.encode(Attestation(former[-1], wall)), [FRESHNESS]).pack(),
            "another key": sign(Kind.ATTESTATION, codec.encode(Attestation(nonce, wall)), [STRANGER]).pack(),
            "the year 2200": sign(
                Kind.ATTESTATION, codec.encode(Attestation(nonce, WallMs(7_258_118_400_000))), [FRESHNESS]
            ).pack(),
            "too late": sign(Kind.ATTESTATION, codec.encode(Attestation(nonce, wall)), [FRESHNESS]).pack(),
            "not an attestation": scene.attacker.head(issued=wall).pack(),
            "two answers": json.dumps([nonce, nonce]).encode(),
        }[lie]
        former.append(nonce)
        if lie == "too late":
            await asyncio.sleep(11)
        return web.Response(body=made)

    scene.attacker.web.attest = attest
    await restarted(scene)
    await scene.speaker.silent_for(120)
    assert trust(scene) == "none"
    assert FaultCode.CLOCK_NOT_TRUSTED in {one.code for one in scene.attacker.faults()}
    scene.attacker.web.attest = None
    await scene.attacker.until(lambda: trust(scene) == "attested")
    await scene.still_obeys()


async def test_emergency_without_a_clock_after_one_answer(scene: Scene) -> None:
    """no attack at all — without a clock chip an emergency sounds after one true answer."""
    scene.attacker.web.wall = None
    await restarted(scene)
    began, alert = scene.wall, scene.offices.alert()
    scene.send(Kind.ALERT, alert)
    await scene.speaker.silent_for(20)
    says(scene, 0)
    await scene.speaker.until_heard(tone_speech(alert.parts[0].text), began, within_s=30)


async def test_withheld_alert_and_ntp_set_back(scene: Scene) -> None:
    """an emergency kept back until it has expired, then NTP set back into its life — it stays expired."""
    withheld = iter([seal(Kind.ALERT, scene.offices.alert(), C1).pack() for _ in PATHS])
    await asyncio.sleep(590)
    await scene.speaker.until_quiet(within_s=90)
    await asyncio.sleep(60)
    sources(scene, ntp=-600_000)
    says(scene, -600_000)
    await scene.refused(lambda _: next(withheld), Refusal.EXPIRED)


async def test_lie_does_not_brick(scene: Scene) -> None:
    """NTP tells next year and a document of next year comes — the floor never passes our clock."""
    sources(scene, ntp=365 * DAY_MS)
    issued = iter(range(5))
    await scene.refused(
        lambda _: seal(Kind.ALERT, scene.offices.alert(**_next_year(scene, next(issued))), C1).pack(),
        Refusal.NOT_YET_VALID,
    )
    sources(scene, ntp=0)
    await scene.speaker.cut_power()
    await scene.power_up()
    assert ClockTrust.AGREED.name.lower() in {one.clock for one in scene.attacker.statuses()}
    await scene.still_obeys()


def _next_year(scene: Scene, number: int) -> dict[str, Any]:
    issued = scene.wall + 365 * DAY_MS + number
    return {"issued": WallMs(issued), "expires": WallMs(issued + 600_000)}
