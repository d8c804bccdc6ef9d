"""Behaviour, section 7: "Fault known on the device ≤ 30 s, on the operator's screen ≤ 100 s."

From the instant at which a device had what it takes to know: the card vanished, a part of the board was judged sick,
something could not be stored, no second opinion about the hour came, the talk button was held beyond its cap, the
sound of an item that is due is not there. Allowed at the controller: while the line, the broker or the controller
itself is away, seen by whether the device's line passes and, after an outage, any device is heard of; while its disk
is full, when it confirms nothing and letters wait behind each other; and a letter that rotted on the device's card.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from edge.core.events import Booted, CardChanged, LinkChanged, PartJudged, StateSaveFailed, TalkPressed, TalkReleased
from protocol import codec
from protocol.clock import WallMs
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import Fault, FaultCode, Status
from protocol.topics import up_topic
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.plan import Happening
from simulators.world.trace import Record

DEVICE_MS: Final = 30_000
SCREEN_MS: Final = 100_000
_CLOCK_GRACE_MS: Final = 31_000
"""So long after a start a clock may be looked for before its lack is a fault."""
_DRAINED_MS: Final = 3_600_000
"""So long after the controller stores again a device may still be busy with its older letters."""
_AWAY: Final = (
    "broker.restart",
    "broker.forget",
    "broker.copy",
    "controller.crash",
    "controller.restore",
    "controller.second",
    "controller.full_disk",
    "controller.wrong_clock",
)
_PARTS: Final = {
    "speaker_line": FaultCode.LINE_FAULT,
    "power": FaultCode.POWER_LOW,
    "guardian": FaultCode.GUARDIAN_LOST,
    "tuner": FaultCode.TUNER_LOST,
    "clock_chip": FaultCode.CLOCK_CHIP_LOST,
    "meter": FaultCode.METER_LOST,
}


class FaultTold:
    """Remembers since when what is wrong, and looks in time."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._wrong: dict[tuple[str, FaultCode], WallMs] = {}
        self._screen: dict[str, frozenset[FaultCode]] = {}
        self._heard: WallMs = WallMs(0)
        self._link: dict[str, WallMs] = {}
        self._letters: set[tuple[str, FaultCode]] = set()
        self._stuck_until: WallMs = WallMs(0)
        self._away_until: WallMs = WallMs(0)
        truth.on(Booted, self._booted)
        truth.on(CardChanged, self._card)
        truth.on(PartJudged, self._part)
        truth.on(StateSaveFailed, self._unsaved)
        truth.on(TalkPressed, self._talk)
        truth.on(TalkReleased, lambda box, _: self._mend(box, FaultCode.TALK_STUCK))
        truth.on(LinkChanged, self._link_changed)
        truth.on("power.off", self._off)
        truth.on("report.status", self._status)
        truth.on("report.fault", self._fault)
        truth.on("letters.lost", self._lost)
        truth.others("controller.full_disk", self._filled)
        for what in _AWAY:
            truth.others(what, self._went_away)

    # What is wrong.

    def _break(self, box: Box, code: FaultCode, *, in_ms: int = 0) -> None:
        if (box.name, code) not in self._wrong:
            since = WallMs(self._truth.now + in_ms)
            self._wrong[box.name, code] = since
            self._truth.at(WallMs(since + DEVICE_MS), box, partial(self._on_device, box, code, since))
            self._truth.at(WallMs(since + SCREEN_MS), box, partial(self._on_screen, box, code, since))

    def _mend(self, box: Box, code: FaultCode) -> None:
        self._wrong.pop((box.name, code), None)

    def _off(self, box: Box, _: Record) -> None:
        self._link.pop(box.name, None)
        for key in [one for one in self._wrong if one[0] == box.name]:
            del self._wrong[key]

    def _booted(self, box: Box, _: Record) -> None:
        self._break(box, FaultCode.CLOCK_NOT_TRUSTED, in_ms=_CLOCK_GRACE_MS)

    def _card(self, box: Box, record: Record) -> None:
        change = self._mend if record.thing.event.present else self._break
        change(box, FaultCode.CARD_LOST)

    def _part(self, box: Box, record: Record) -> None:
        code = _PARTS.get(str(record.thing.event.part))
        if code is not None:
            (self._mend if record.thing.event.healthy else self._break)(box, code)

    def _unsaved(self, box: Box, record: Record) -> None:
        self._break(box, FaultCode.STORAGE_FULL)
        self._truth.at(WallMs(record.at + DEVICE_MS + 1), box, lambda: self._mend(box, FaultCode.STORAGE_FULL))

    def _talk(self, box: Box, _: Record) -> None:
        self._mend(box, FaultCode.TALK_STUCK)
        self._break(box, FaultCode.TALK_STUCK, in_ms=self._papers.held[box.name].rules.talk_ms_max)

    # Who knows.

    def _on_device(self, box: Box, code: FaultCode, since: WallMs) -> None:
        if self._wrong.get((box.name, code)) != since or self._is_well(box, code):
            return
        state = box.device.state
        if state is not None and code not in state.faults:
            self._tell(box.name, "fault_told", f"{code} holds for {DEVICE_MS} ms and the device does not know")

    def _on_screen(self, box: Box, code: FaultCode, since: WallMs) -> None:
        if self._wrong.get((box.name, code)) != since or self._is_well(box, code):
            return
        linked = self._link.get(box.name)
        away = self._away_until > since and self._heard < self._truth.now - DEVICE_MS
        silent = not box.device.line.passes() or away
        if linked is None or linked > since or silent:
            return
        if code not in self._screen.get(box.name, frozenset()):
            self._tell(box.name, "fault_told", f"{code} holds for {SCREEN_MS} ms and the screen does not show it")

    def _is_well(self, box: Box, code: FaultCode) -> bool:
        return code is FaultCode.CLOCK_NOT_TRUSTED and box.error_ms(self._truth.now) is not None

    def _link_changed(self, box: Box, record: Record) -> None:
        if record.thing.event.up:
            self._link[box.name] = record.at
        else:
            self._link.pop(box.name, None)

    def _status(self, box: Box, record: Record) -> None:
        status = record.thing
        assert isinstance(status, Status), "what the controller took in"
        self._heard = record.at
        for code in status.faults:
            if (box.name, code) not in self._letters:
                self._truth.at(WallMs(record.at + SCREEN_MS), box, partial(self._on_log, box, code, record.at))
        self._screen[box.name] = frozenset(status.faults)

    def _on_log(self, box: Box, code: FaultCode, since: WallMs) -> None:
        """A fault is told by itself as well, so that it is known also when the link is away while it lasts."""
        linked, line = self._link.get(box.name), box.device.line
        told = (box.name, code) in self._letters or code not in self._screen[box.name]
        away = linked is None or linked > since or not line.passes()
        hindered = away or self._heard < self._truth.now - DEVICE_MS or self._truth.now < self._stuck_until
        if not (told or hindered or box.spoiled or box.device.card.broken):
            self._letters.add((box.name, code))
            self._tell(box.name, "fault_told", f"{code} is in the status, and nobody wrote that it began")

    def _fault(self, box: Box, record: Record) -> None:
        fault = record.thing
        assert isinstance(fault, Fault), "what the controller took in"
        self._heard = record.at
        self._letters.add((box.name, fault.code))
        shown = self._screen.get(box.name, frozenset())
        self._screen[box.name] = shown - {fault.code} if fault.ended is not None else shown | {fault.code}

    def _lost(self, box: Box, record: Record) -> None:
        for letter in record.thing:
            if letter.topic == up_topic(box.name, Fault):
                fault = codec.decode(Fault, letter.payload, bytes_max=REPORT_BYTES_MAX)
                self._letters.add((box.name, fault.code))

    def _filled(self, record: Record) -> None:
        happening: Happening = record.thing
        self._stuck_until = max(self._stuck_until, WallMs(record.at + happening.number + _DRAINED_MS))

    def _went_away(self, record: Record) -> None:
        happening: Happening = record.thing
        self._away_until = max(self._away_until, WallMs(record.at + happening.number + DEVICE_MS))

    def end(self) -> None:
        """See `Rule`."""
