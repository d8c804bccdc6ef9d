"""Architecture: "the core never raises for bad input, it returns a refusal"; the runner's rule: no source and no
failing port ends the agent. Whatever the agent logs as an error with a trace is a fault of the agent or of its world.
"""

from __future__ import annotations

import logging
from typing import Final

from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Truth

_LOGGER: Final = "edge"
_TOLD_MAX: Final = 20


class Unfailing(logging.Handler):
    """Listens to the agent's log as long as the world lasts."""

    def __init__(self, truth: Truth, _: Papers, tell: Tell) -> None:
        super().__init__(logging.ERROR)
        self._truth, self._say, self._told = truth, tell, 0
        logging.getLogger(_LOGGER).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """One line of the log."""
        if record.exc_info is None or self._told >= _TOLD_MAX:
            return
        self._told += 1
        self._say("agent", "unfailing", f"{record.getMessage()}: {record.exc_info[1]!r}"[:300])

    def end(self) -> None:
        """See `Rule`."""
        logging.getLogger(_LOGGER).removeHandler(self)
