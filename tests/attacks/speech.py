"""Every kind of document that can change what comes out of the horn, as the offices make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol.document import Kind
from protocol.envelope import Envelope
from tests.attacks.offices import C1, STRANGER, Offices, seal

SPEECH: dict[Kind, Callable[[Offices], Any]] = {
    Kind.ALERT: lambda offices: offices.alert(),
    Kind.ALERT_DRILL: lambda offices: offices.alert(),
    Kind.ALERT_TEST: lambda offices: offices.alert(),
    Kind.SCHEDULE: lambda offices: offices.schedule(offices.now_item()),
    Kind.AUDIBLE_CONFIG: lambda offices: offices.config(ordinary_attenuation_cdb=0),
    Kind.STOP: lambda offices: offices.stop(),
    Kind.CANCEL: lambda offices: offices.cancel(offices.alert()),
    Kind.LIVE_SESSION: lambda offices: offices.live(STRANGER),
}
"""Everything that can change what comes out of the horn."""


def true(kind: Kind, offices: Offices) -> Envelope:
    """One of them, signed as it should be and never delivered before."""
    return seal(kind, SPEECH[kind](offices), C1)
