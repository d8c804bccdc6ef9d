"""Behaviour, section 2: an emergency's tone "starts ≤ 1 s after the command arrives (≤ 3 s worst)"; "gap ≤ 30 s,
again until the end time or a cancel". Section 1: of two "the other one is told in turn, never lost".

Judged for every alert from the instant at which the device ought to obey it. Its end, its words and that a test is
never aired as actual are judged by `verified_source`. Allowed: while somebody speaks into the emergency microphone,
and while nothing can be stored, since an alert is stored before it sounds (trust.md).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from edge.core.output import AlertOutput, Rung
from protocol.alert import Alert
from protocol.clock import WallMs
from protocol.document import Kind
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.office import Signed

AIM_MS: Final = 1000
WORST_MS: Final = 3000
GAP_MS_MAX: Final = 30_000
_UNSAVED_MS: Final = 70_000


class Emergency:
    """Looks one second after each alert ought to be obeyed, and once in its life."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        papers.listeners.append(self._changed)

    def _changed(self, box: Box, signed: Signed | None) -> None:
        if signed is None or signed.kind is not Kind.ALERT or not isinstance(signed.document, Alert):
            return
        held, now = self._papers.held[box.name], self._truth.now
        if signed.envelope.digest not in held.alerts:
            return
        warm = box.sounding or now - box.quiet_since < held.rules.amplifier_hold_ms
        wait_ms = min(WORST_MS, AIM_MS + (0 if warm else held.lead_in_ms))
        self._truth.at(WallMs(now + wait_ms), box, partial(self._judge, box, signed))
        if signed.document.gap_ms > GAP_MS_MAX:
            self._tell(
                box.name, "emergency", f"{signed.document.id} was obeyed with a gap of {signed.document.gap_ms} ms"
            )

    def _judge(self, box: Box, signed: Signed) -> None:
        alert, held = signed.document, self._papers.held[box.name]
        assert isinstance(alert, Alert), "judged before"
        wall, digest = self._papers.wall(box), signed.envelope.digest
        over = wall is None or wall >= alert.expires or held.is_cancelled(alert) is not None
        if box.booted is None or over or digest not in held.alerts or self._is_excused(box):
            return
        if box.rung is Rung.EMERGENCY_MICROPHONE:
            return
        sounding = [one for one, _ in box.sounding.values() if isinstance(one, AlertOutput)]
        if not any(digest in (one.document, *one.others) for one in sounding):
            self._tell(box.name, "emergency", f"{alert.id} was obeyed and does not sound")

    def _is_excused(self, box: Box) -> bool:
        state = box.device.state
        away = state is not None and not state.sound.card_present
        away = away or box.device.hindrances.lately(self._truth.now)
        return away or box.device.card.broken or self._truth.now - box.save_failed < _UNSAVED_MS

    def end(self) -> None:
        """See `Rule`."""
