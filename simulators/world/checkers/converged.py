"""The liveness half: after faults stop, all converge within an hour (behaviour, section 3: "never gives up
reconnecting"; "queued as-run records and receipts go up when the link is back, each once").

At the end of the calm every device is up and connected, believes the hour, holds the newest documents that address
it, has no fault, nothing left in its outbox, and was heard of lately; the controller shows the faults it has.
"""

from __future__ import annotations

from typing import Final

from protocol.audible_config import AudibleConfig
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.report import FaultCode, Status
from protocol.schedule import Schedule
from protocol.units import UnitPath, covers
from simulators.world.checkers.authority import version_of
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import SKEW_MS, Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.office import Signed
from simulators.world.process import HEADS_EVERY_MS
from simulators.world.trace import Record

_CALM_MS: Final = 3_600_000
_HEARD_MS: Final = 100_000
_RECENT_MS: Final = 600_000
_LETTERS_MAX: Final = 8
"""Some may be on their way at any instant."""
_LETTER_MS_MAX: Final = 2_400_000
"""What nobody says is stored is sent again after half an hour at the latest."""
_LASTING: Final = frozenset({FaultCode.STATE_DAMAGED, FaultCode.MESSAGE_MISSING, FaultCode.FM_REFUSED})
"""What was damaged is told until the next start, a press in vain for a minute, a station off the air while it is."""
_FALSE_HEAD_MS: Final = HEADS_EVERY_MS + _RECENT_MS
"""A head under a stolen key that names what is not stands, and is told as withheld, until the next true one."""


class Converged:
    """Looks once, at the end."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._handed: dict[tuple[Kind, str], Signed] = {}
        self._status: dict[str, tuple[WallMs, Status]] = {}
        self._false_head: dict[str, WallMs] = {}
        self._waiting: dict[str, frozenset[int]] = {}
        shape = truth.world.shape
        truth.at(WallMs(shape.end_ms + truth.began - _LETTER_MS_MAX), None, self._count_letters)
        truth.on("report.status", self._told)
        truth.others("attack.head", self._faked)
        truth.others("handed_in", self._handed_in)

    def _told(self, box: Box, record: Record) -> None:
        self._status[box.name] = record.at, record.thing

    def _count_letters(self) -> None:
        self._waiting = {name: frozenset(box.device.card.letters) for name, box in self._truth.boxes.items()}

    def _faked(self, record: Record) -> None:
        self._false_head[record.who] = record.at

    def _handed_in(self, record: Record) -> None:
        signed: Signed = record.thing
        document = signed.document
        recent = record.at > self._truth.world.shape.end_ms + self._truth.began - _RECENT_MS
        if not isinstance(document, Schedule | AudibleConfig) or recent or signed.stolen:
            return
        if not signed.at - _RECENT_MS < document.issued <= record.at + SKEW_MS:
            return  # dated wrongly; what devices make of that is not this rule's affair
        key = (signed.kind, document.scope)
        if key not in self._handed or version_of(self._handed[key]) < version_of(signed):
            self._handed[key] = signed

    def end(self) -> None:
        """See `Rule`."""
        shape = self._truth.world.shape
        if shape.end_ms - shape.calm_ms < _CALM_MS:
            return
        shown = self._faults_shown()
        for box in self._truth.boxes.values():
            for words in [*self._lacks(box), *_misjudged(box, shown.get(box.name, set()))]:
                self._tell(box.name, "converged", words)

    def _faults_shown(self) -> dict[str, set[str]]:
        """Faults that the controller's pages would show now, by device."""
        found: dict[str, set[str]] = {}
        for row in self._truth.world.controller.faults():
            if row["ended_ms"] is None:
                found.setdefault(row["device"], set()).add(row["code"])
        return found

    def _lacks(self, box: Box) -> list[str]:
        state, card = box.device.state, box.device.card
        if box.booted is None or state is None:
            return ["is not up"]
        found = []
        if not state.link_up:
            found.append("is not connected")
        if box.error_ms(self._truth.now) is None:
            found.append("believes no hour")
        if len(card.letters) > _LETTERS_MAX:
            found.append(f"{len(card.letters)} letters wait")
        stuck = len(self._waiting.get(box.name, frozenset()) & card.letters.keys())
        if stuck:
            found.append(f"{stuck} letters wait for more than {_LETTER_MS_MAX} ms")
        faults = sorted(code for code in state.faults if not self._may_last(code, box))
        if faults:
            found.append(f"has faults: {', '.join(faults)}")
        heard = self._status.get(box.name)
        if heard is None or self._truth.now - heard[0] > state.identity.heartbeat_ms + _HEARD_MS:
            found.append("was not heard of lately")
        return found + self._papers_lacking(box)

    def _may_last(self, code: FaultCode, box: Box) -> bool:
        if code in _LASTING or _is_muted_yet(code, box):
            return True
        place = self._papers.held[box.name].place
        faked = (at for unit, at in self._false_head.items() if covers(UnitPath(unit), place))
        return code is FaultCode.DOCUMENT_WITHHELD and self._truth.now - max(faked, default=0) < _FALSE_HEAD_MS

    def _papers_lacking(self, box: Box) -> list[str]:
        held = self._papers.held[box.name]
        found = []
        for (kind, scope), signed in sorted(self._handed.items()):
            mine = held.versioned.get((kind, signed.document.scope))
            if not covers(signed.document.scope, held.place):
                continue
            if mine is None or version_of(mine.signed) < version_of(signed):
                have = "nothing" if mine is None else version_of(mine.signed)
                found.append(f"has {have} of {kind} of {scope}, {version_of(signed)} was handed in")
        return found


def _misjudged(box: Box, shown: set[str]) -> list[str]:
    """The screen equals the device (pain 14: "green while …"); what comes and goes by itself may be on its way."""
    state = box.device.state
    if state is None:
        return []
    fleeting = {str(code) for code in _LASTING}
    mine = {str(code) for code in state.faults}
    odd = sorted((shown ^ mine) - fleeting)
    return [f"the controller shows {'no ' if code in mine else ''}{code}" for code in odd]


def _is_muted_yet(code: FaultCode, box: Box) -> bool:
    """An amplifier that was muted for what nobody ordered stays so, and is told, until something is to sound."""
    state = box.device.state
    if code is not FaultCode.SOUND_UNEXPECTED or state is None or box.sounding:
        return False
    return box.quiet_since < state.faults[code][0] + SKEW_MS
