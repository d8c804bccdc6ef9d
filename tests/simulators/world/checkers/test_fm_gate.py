"""FM sounds only while its station is heard of, unless the storage card holds everything up."""

from __future__ import annotations

import pytest

from edge.core.events import FmSignalMeasured
from edge.core.output import FmOutput, Rung
from protocol.audible_config import Fallback, Station, Window
from simulators.world.checkers.fm_gate import FmGate
from tests.simulators.world.checkers.stage import day


@pytest.mark.parametrize(("why", "broken"), [("", {"fm_gate"}), ("card slow", set()), ("tuner", {"fm_gate"})])
def test_station_that_nothing_is_heard_of_goes_on(why: str, broken: set[str]) -> None:
    stage = day(FmGate)
    stations, windows = (Station(97_300, "tỉnh"),), (Window(0, 86_400),)
    stage.give(stage.rules_of_the_horn(fm_stations=stations, fm_windows=windows, fallback=Fallback.FM))
    stage.event(FmSignalMeasured(97_300, 50, None))
    stage.wait(1000)
    stage.began(FmOutput(Rung.FM_FALLBACK, 97_300))
    if why:
        stage.device.hindrances.begin(why)
    for _ in range(20):
        stage.wait(500)
    assert stage.broken == broken
