"""All breaks by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulators.world.mutants.breaks_agent import AGENT
from simulators.world.mutants.breaks_radio import RADIO
from simulators.world.mutants.breaks_sound import SOUND
from simulators.world.mutants.breaks_trust import TRUST
from simulators.world.mutants.mutant import Mutant

MUTANTS: Final[Mapping[str, Mutant]] = {one.name: one for one in (*SOUND, *RADIO, *TRUST, *AGENT)}
FAST: Final = (
    "the emergency microphone without its key",
    "one source is enough",
    "nobody wakes for the next start",
    "FM opens on a weak signal",
)
"""A few that show within seconds: what runs with every change of the code."""
