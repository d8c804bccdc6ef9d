"""Where offices hand in what they signed, and what they do when the controller does not take it.

Stands for the signers' way to `controller/signing/api.py`, and for the people behind them: while it is away they try
again, emergencies first, all else in its order; when it says that something is over or too early that is not, they
come back later, for its clock will be put right; so they do when it does not know them, since it lost their grants
with its disk or was not told of the newest yet. What became of each is in the trace: `controller.accepted`,
`.partial` and `.refused`, with the `Signed` as their thing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from controller.signing.acceptance import Outcome, Result
from controller.signing.domain import AT_ONCE
from protocol.clock import WallMs
from protocol.errors import Refusal
from simulators.world.office import Signed
from simulators.world.process import Process
from simulators.world.trace import Trace

_AGAIN_S: Final = (5.0, 300.0)
_BY_THE_CLOCK: Final = frozenset({Refusal.EXPIRED, Refusal.NOT_YET_VALID, Refusal.GRANT_EXPIRED})

_STRANGERS: Final = frozenset({Refusal.UNKNOWN_KEY, Refusal.GRANT_WITHOUT_PARENT})
_STRANGERS_AGAIN_S: Final = 1200.0


class Reception:
    """Everything that waits to be taken.

    Args:
        there: the controller that runs now.
        wall: true time.

    Attributes:
        taken: what the controller took, and when it first did, by digest.
    """

    def __init__(self, there: Callable[[], Process | None], *, trace: Trace, wall: Callable[[], WallMs]) -> None:
        self._there, self._trace, self._wall = there, trace, wall
        self._loop = asyncio.get_running_loop()
        self._urgent: deque[Signed] = deque()
        self._others: deque[Signed] = deque()
        self._work: asyncio.Task[None] | None = None
        self.taken: dict[str, tuple[Signed, WallMs]] = {}

    def accept(self, signed: Signed) -> None:
        """Takes what an office hands in, at once or as soon as the controller can."""
        (self._urgent if signed.kind in AT_ONCE else self._others).append(signed)
        if self._work is None or self._work.done():
            self._work = self._loop.create_task(self._hand_over())

    def hand_in_again(self, *, since: WallMs) -> None:
        """Offices bring once more what was taken since then."""
        for signed, at in tuple(self.taken.values()):
            if at >= since:
                self.accept(signed)

    async def _hand_over(self) -> None:
        wait_s = _AGAIN_S[0]
        while waiting := self._urgent or self._others:
            signed, process = waiting[0], self._there()
            result = await _try(process, signed) if process is not None and process.alive else None
            if result is None and not _is_over(signed, self._wall()):
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, _AGAIN_S[1])
                continue
            waiting.remove(signed)
            if result is not None:
                wait_s = _AGAIN_S[0]
                self._tell(signed, result)

    def _tell(self, signed: Signed, result: Result) -> None:
        refused = result.refusal.value if result.refusal else ""
        words = f"{signed.kind} {signed.document.scope} {signed.envelope.digest[:16]} {refused}"
        self._trace.tell("controller", f"controller.{result.outcome.value}", words, signed)
        if result.outcome is not Outcome.REFUSED:
            self.taken.setdefault(signed.envelope.digest, (signed, self._wall()))
        elif _is_over(signed, self._wall()) or signed.stolen:
            return
        elif result.refusal in _BY_THE_CLOCK:
            self._loop.call_later(_AGAIN_S[1], self.accept, signed)
        elif result.refusal in _STRANGERS:
            self._loop.call_later(_STRANGERS_AGAIN_S, self.accept, signed)


async def _try(process: Process, signed: Signed) -> Result | None:
    try:
        return await process.take(signed.envelope.pack())
    except SQLAlchemyError:
        return None


def _is_over(signed: Signed, now: WallMs) -> bool:
    expires = getattr(signed.document, "expires", None)
    return expires is not None and now >= expires
