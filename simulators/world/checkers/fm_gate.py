"""Behaviour, section 4: "FM opens only if all hold: inside a signed window; a signed frequency; signal above floor
with hysteresis; the RDS programme identity matches where the signed plan names one; no sudden signal step (> 10 dB)
or change of identity since it opened; not longer than its cap."

Judged by the readings that the device was given. Window and frequency are judged by `verified_source`. Allowed to
hear nothing of what sounds: while the storage card is slow or hangs, or the agent does, since each decision is stored
before the next reading is looked at (trust.md: persist before sound).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from edge.core.events import Booted, FmSignalMeasured
from edge.core.output import FmOutput
from protocol.clock import WallMs
from protocol.schedule import Relay, Schedule
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.trace import Record

STEP_DB_MAX: Final = 10
HYSTERESIS_DB: Final = 3
SWITCH_MS: Final = 400
SILENT_MS_MAX: Final = 5000
"""A tuner is read once a second: who says nothing for so long vouches for nothing."""
NAMELESS_MS_MAX: Final = 20_000
_CAP_SLACK_MS: Final = 3000
_HELD_UP: Final = ("card slow", "card hangs", "hung")
_CAUGHT_UP_MS: Final = 10_000


@dataclass(slots=True)
class Station:
    """Readings of one frequency on one device.

    Attributes:
        at, rssi_dbuv: of the last reading.
        pi, named: the last identity, and when it was told.
        above: whether it came up to the floor, and has not gone below its hysteresis or been silent since.
        opened: since when it sounds; `opened_pi` whose name it bore then or first after.
    """

    at: WallMs = WallMs(0)
    rssi_dbuv: int = 0
    above: bool = False
    pi: str | None = None
    named: WallMs = WallMs(0)
    opened: WallMs | None = None
    opened_pi: str | None = None
    stepped: bool = False


class FmGate:
    """Looks at every reading of what sounds, and once a second whether there are any."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._stations: dict[str, dict[int, Station]] = {name: {} for name in truth.boxes}
        truth.on(FmSignalMeasured, self._reading)
        truth.on(Booted, lambda box, _: self._stations[box.name].clear())
        truth.on("sound.began", self._began)
        truth.on("sound.ended", self._ended)

    def _station(self, box: Box, output: FmOutput) -> Station:
        return self._stations[box.name].setdefault(output.frequency_khz, Station())

    def _reading(self, box: Box, record: Record) -> None:
        event = record.thing.event
        one = self._stations[box.name].setdefault(event.frequency_khz, Station())
        if one.opened is not None:
            one.stepped = one.stepped or abs(event.rssi_dbuv - one.rssi_dbuv) > STEP_DB_MAX
            one.opened_pi = one.opened_pi or event.pi
        floor, heard_on = self._papers.held[box.name].rules.rssi_floor_dbuv, record.at - one.at <= SILENT_MS_MAX
        one.above = event.rssi_dbuv >= floor or (one.above and heard_on and event.rssi_dbuv >= floor - HYSTERESIS_DB)
        one.at, one.rssi_dbuv = record.at, event.rssi_dbuv
        if event.pi is not None:
            one.pi, one.named = event.pi, record.at
        for output, _ in box.sounding.values():
            sounds = isinstance(output, FmOutput) and output.frequency_khz == event.frequency_khz
            if sounds and isinstance(output, FmOutput) and self._wrong(box, output, one) is not None:
                self._truth.at(WallMs(record.at + SWITCH_MS), box, partial(self._judge, box, output))

    def _began(self, box: Box, record: Record) -> None:
        output = record.thing.output
        if not isinstance(output, FmOutput):
            return
        one = self._station(box, output)
        one.opened, one.stepped, one.opened_pi = record.at, False, one.pi
        config = self._papers.held[box.name].rules
        weak = not one.above and one.rssi_dbuv < config.rssi_floor_dbuv
        if record.at - one.at > SILENT_MS_MAX:
            # An agent that hung finds what it let sound before, and ends it at once.
            self._truth.at(WallMs(record.at + SWITCH_MS), box, partial(self._unread, box, output, record.at))
        elif weak:
            self._tell(box.name, "fm_gate", f"{output.frequency_khz} kHz opens at {one.rssi_dbuv} dBuV")
        pi = self._pi_wanted(box, output)
        if pi is not None and one.pi != pi:
            self._tell(box.name, "fm_gate", f"{output.frequency_khz} kHz opens as {one.pi}, signed is {pi}")
        cap_ms = config.fm_session_ms_max + _CAP_SLACK_MS
        self._truth.at(WallMs(record.at + cap_ms), box, partial(self._over, box, output, record.at))
        self._truth.at(WallMs(record.at + 1000), box, partial(self._look, box, output))

    def _ended(self, box: Box, record: Record) -> None:
        if isinstance(record.thing.output, FmOutput):
            self._station(box, record.thing.output).opened = None

    def _unread(self, box: Box, output: FmOutput, since: WallMs) -> None:
        if output.key in box.sounding and box.sounding[output.key][1] == since:
            self._tell(box.name, "fm_gate", f"{output.frequency_khz} kHz opens without a reading")

    def _over(self, box: Box, output: FmOutput, since: WallMs) -> None:
        if output.key in box.sounding and box.sounding[output.key][1] == since:
            self._tell(box.name, "fm_gate", f"{output.frequency_khz} kHz is open for longer than its cap")

    def _look(self, box: Box, output: FmOutput) -> None:
        """Who sounds is heard of: a reading each second, a name now and then."""
        if output.key not in box.sounding:
            return
        one = self._station(box, output)
        nameless = self._pi_wanted(box, output) is not None and self._truth.now - one.named > NAMELESS_MS_MAX
        silent = self._truth.now - one.at > SILENT_MS_MAX
        if (nameless or silent) and not self._is_held_up(box):
            self._tell(box.name, "fm_gate", f"{output.frequency_khz} kHz goes on, and nothing was heard of it lately")
            return
        self._truth.at(WallMs(self._truth.now + 2000), box, partial(self._look, box, output))

    def _is_held_up(self, box: Box) -> bool:
        hindrances, now = box.device.hindrances, self._truth.now
        return any(hindrances.had(one, now, within_ms=_CAUGHT_UP_MS) for one in _HELD_UP)

    def _judge(self, box: Box, output: FmOutput) -> None:
        wrong = self._wrong(box, output, self._station(box, output)) if output.key in box.sounding else None
        if wrong is not None:
            self._tell(box.name, "fm_gate", f"{output.frequency_khz} kHz goes on: {wrong}")

    def _wrong(self, box: Box, output: FmOutput, one: Station) -> str | None:
        floor = self._papers.held[box.name].rules.rssi_floor_dbuv
        pi = self._pi_wanted(box, output)
        if one.rssi_dbuv < floor - HYSTERESIS_DB:
            return f"{one.rssi_dbuv} dBuV, floor {floor}"
        if one.stepped:
            return "its signal stepped"
        if one.pi not in (None, pi or one.opened_pi or one.pi):
            return f"it calls itself {one.pi}"
        return None

    def _pi_wanted(self, box: Box, output: FmOutput) -> str | None:
        """The identity that the signed plan names, for the slot or for the fallback's station."""
        if output.document is None:
            stations = self._papers.held[box.name].rules.fm_stations
            return next((one.pi for one in stations if one.frequency_khz == output.frequency_khz), None)
        signed = self._truth.world.offices.signed.get(output.document)
        schedule = signed.document if signed is not None else None
        items = schedule.items if isinstance(schedule, Schedule) else ()
        found = next((one.content for one in items if one.id == output.item), None)
        return found.pi if isinstance(found, Relay) else None

    def end(self) -> None:
        """See `Rule`."""
