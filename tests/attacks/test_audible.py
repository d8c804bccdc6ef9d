"""Frequency, volume, quiet hours, stream address: what comes out of the horn changes by an operator's word."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from edge.core.output import Rung
from protocol import codec
from protocol.audible_config import AudibleConfig, Fallback, Station, Window
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import Refusal
from protocol.report import FaultCode
from simulators.face import StationWeather
from simulators.listening import level_cdb
from tests.attacks.offices import (
    C1,
    FRESHNESS,
    NEIGHBOUR,
    NEIGHBOUR_KEY,
    NINE,
    PROVINCE,
    SCHEDULER,
    STRANGER,
    Offices,
    seal,
)
from tests.attacks.scene import Scene

TEN_PAST: Final = NINE + 600_000
PIRATE: Final = Station(90_000, "Đài lạ", "D900")
TOLERANCE_CDB: Final = 100
NINE_S: Final = 9 * 3600

Change = dict[str, Any]
CHANGES: Final[dict[str, Change]] = {
    "frequency": {"fm_stations": (PIRATE,)},
    "volume": {"ordinary_attenuation_cdb": 0},
    "quiet hours": {"quiet_hours": ()},
    "fallback": {"fallback": Fallback.FM, "fm_windows": (Window(0, 86_400),)},
    "emergency volume": {"emergency_attenuation_cdb": 1200},
}


def _with_address(envelope: Envelope, *, signed: bool) -> Envelope:
    """Rules with a stream address, which no version of the product knows."""
    payload = codec.encode(json.loads(envelope.payload) | {"stream_url": "http://192.0.2.1/evil.mp3"})
    return sign(Kind.AUDIBLE_CONFIG, payload, [C1 if signed else STRANGER])


FORGERS: dict[str, tuple[Callable[[Offices, Change], Envelope], Refusal]] = {
    "stranger": (lambda one, to: seal(Kind.AUDIBLE_CONFIG, one.config(**to), STRANGER), Refusal.UNKNOWN_KEY),
    "controller": (lambda one, to: seal(Kind.AUDIBLE_CONFIG, one.config(**to), FRESHNESS), Refusal.UNKNOWN_KEY),
    "neighbour": (lambda one, to: seal(Kind.AUDIBLE_CONFIG, one.config(**to), NEIGHBOUR_KEY), Refusal.UNKNOWN_KEY),
    "neighbour's own rules": (
        lambda one, to: seal(Kind.AUDIBLE_CONFIG, one.config(scope=NEIGHBOUR, **to), NEIGHBOUR_KEY),
        Refusal.UNKNOWN_KEY,
    ),
    "editor": (lambda one, to: seal(Kind.AUDIBLE_CONFIG, one.config(**to), SCHEDULER), Refusal.VERB_NOT_GRANTED),
    "province-wide by the commune": (
        lambda one, to: seal(Kind.AUDIBLE_CONFIG, one.config(scope=PROVINCE, **to), C1),
        Refusal.OUT_OF_SCOPE,
    ),
    "yesterday": (
        lambda one, to: seal(Kind.AUDIBLE_CONFIG, one.config(version=5, issued=NINE - DAY_MS, **to), C1),
        Refusal.OLDER_VERSION,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("forger", FORGERS)
async def test_rules_changed_without_an_operator(scene: Scene, change: str, forger: str) -> None:
    """frequency, volume, quiet hours and fallback by everybody who may not — the rules in force stay as signed."""
    forge, reason = FORGERS[forger]
    scene.offices.version += 100
    await scene.refused(lambda _: forge(scene.offices, CHANGES[change]).pack(), reason, paths=("doc",))
    assert _rules(scene) == codec.decode(AudibleConfig, scene.config.payload, bytes_max=10_000)


def _rules(scene: Scene) -> AudibleConfig | None:
    assert scene.speaker.state is not None, "it is switched on"
    return scene.speaker.state.force.config


async def press_on(scene: Scene, change: str) -> None:
    """Every forger, one after the other."""
    scene.offices.version += 100
    for forge, _ in FORGERS.values():
        await scene.attacker.deliver("doc", forge(scene.offices, CHANGES[change]).pack())
    await scene.attacker.until(lambda: len(scene.attacker.refusals()) >= len(FORGERS))


async def test_volume_raised_while_it_plays(scene: Scene) -> None:
    """rules with full volume while a programme plays, by every forger — the measured level stays where it was."""
    await scene.programme_heard(TEN_PAST)
    before = level_cdb(scene.speaker.heard(TEN_PAST), TEN_PAST + 1000, TEN_PAST + 6000)
    await press_on(scene, "volume")
    began = scene.wall
    await scene.until(began + 6000)
    after = level_cdb(scene.speaker.heard(began), began, began + 5000)
    assert abs(after - before) < 3 * TOLERANCE_CDB


async def test_quiet_hours_lifted(scene: Scene) -> None:
    """rules without quiet hours before a programme that falls into them, by every forger — silence."""
    quiet = (Window(NINE_S + 300, NINE_S + 1200),)
    scene.send(Kind.AUDIBLE_CONFIG, scene.offices.config(quiet_hours=quiet))
    await scene.speaker.wait_state(lambda state: getattr(state.force.config, "quiet_hours", ()) == quiet)
    await scene.until(TEN_PAST - 5000)
    await press_on(scene, "quiet hours")
    await scene.speaker.silent_for(50)
    await scene.still_obeys()


async def relaying(scene: Scene) -> int:
    """A schedule that has ended, true rules with an FM window instead, and the true station heard; since when."""
    scene.send(Kind.SCHEDULE, scene.offices.schedule(expires=WallMs(scene.wall + 2000)))
    window = (Window(NINE_S, NINE_S + 3600),)
    scene.send(Kind.AUDIBLE_CONFIG, scene.offices.config(fallback=Fallback.FM, fm_windows=window))
    began = scene.wall
    await scene.speaker.wait_state(lambda state: state.sound.output.rung is Rung.FM_FALLBACK, within_s=30)
    await scene.speaker.until_heard(scene.speaker.own[: 96_000 * 2], began, within_s=20)
    return began


async def test_frequency_changed_while_it_relays(scene: Scene) -> None:
    """another frequency while FM is relayed, by every forger — the true station is heard on and no other."""
    await relaying(scene)
    await press_on(scene, "frequency")
    began = scene.wall
    await scene.speaker.until_heard(scene.speaker.own[: 96_000 * 2], began + 1000, within_s=15)
    assert scene.speaker.correlation(scene.speaker.foreign[: 96_000 * 2], began) < 0.5
    alert = await scene.alarm()
    scene.send(Kind.CANCEL, scene.offices.cancel(alert))
    began = scene.wall
    await scene.speaker.until_heard(scene.speaker.own[: 96_000 * 2], began, within_s=20)


async def test_pirate_overpowers_the_station(scene: Scene) -> None:
    """a stronger transmitter on the signed frequency — another identity closes the gate, and the fault says so."""
    await relaying(scene)
    scene.speaker.air.become(StationWeather.FOREIGN)
    await scene.attacker.until(lambda: FaultCode.FM_REFUSED in {one.code for one in scene.attacker.faults()})
    await scene.speaker.until_quiet(within_s=30)
    await scene.speaker.silent_for(60)
    scene.speaker.air.become(StationWeather.ON)
    await scene.still_obeys()


async def test_stream_address(scene: Scene) -> None:
    """rules with the address of a stream of his, unsigned and then even signed — nothing in the product asks one."""
    known = len(scene.attacker.receipts())
    envelope = seal(Kind.AUDIBLE_CONFIG, scene.offices.config(), C1)
    await scene.attacker.deliver("doc", _with_address(envelope, signed=False).pack())
    await scene.told(known, Refusal.UNKNOWN_KEY)
    await scene.attacker.deliver("doc", _with_address(envelope, signed=True).pack())
    await scene.speaker.wait_state(lambda state: state.force.config is not None and state.force.config.version > 11)
    await scene.speaker.silent_for(20)
    await scene.programme_heard(TEN_PAST)


async def test_rules_out_of_bounds(scene: Scene) -> None:
    """rules with values outside every bound, signed by a tricked operator — such a document cannot be read."""
    odd: list[Change] = [
        {"emergency_attenuation_cdb": 6000},
        {"amplifier_lead_in_ms": 60_000},
        {"fm_stations": [{"frequency_khz": 97_350, "name": "x"}]},
        {"fm_stations": [{"frequency_khz": 120_000, "name": "x"}]},
        {"quiet_hours": [{"begin_s": 5, "end_s": 5}]},
        {"ordinary_attenuation_cdb": -600},
        {"ordinary_attenuation_cdb": 1.5},
        {"talk_ms_max": 0},
        {"head_age_ms_max": 2**60},
    ]
    known = len(scene.attacker.receipts())
    before = scene.speaker.on_disk()
    for change in odd:
        plain = json.loads(codec.encode(scene.offices.config())) | change
        envelope = sign(Kind.AUDIBLE_CONFIG, json.dumps(plain).encode(), [C1])
        await scene.attacker.deliver("doc", envelope.pack())
        await scene.told(known, Refusal.MALFORMED_DOCUMENT)
        known += 1
    assert scene.speaker.on_disk() == before
    assert _rules(scene) == codec.decode(AudibleConfig, scene.config.payload, bytes_max=10_000)
    await scene.still_obeys()


@pytest.mark.parametrize("kind", (Kind.ALERT_TEST, Kind.ALERT_DRILL))
async def test_exercise_in_quiet_hours(scene: Scene, kind: Kind) -> None:
    """a signed test or drill sent at night as if it were in earnest — only an actual emergency breaks quiet hours."""
    quiet = (Window(NINE_S, NINE_S + 1200),)
    scene.send(Kind.AUDIBLE_CONFIG, scene.offices.config(quiet_hours=quiet))
    await scene.speaker.wait_state(lambda state: getattr(state.force.config, "quiet_hours", ()) == quiet)
    began = scene.wall
    exercise = scene.send(kind, scene.offices.alert(severity=4))
    await scene.attacker.until(lambda: bool(scene.attacker.receipts(exercise.digest)))
    await scene.speaker.silent_for(30, since_ms=began)
    await scene.still_obeys()
