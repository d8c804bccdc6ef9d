"""Runs trials one after the other: each within its time, each whatever became of the one before."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from hardware.errors import PortError
from hardware.i18n import gettext as _
from hardware.i18n import worded
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Finding, Judged, Result, Trial

_STUCK_AFTER_S: Final = 15.0
_log = logging.getLogger(__name__)


async def judge(trials: Iterable[Trial], bench: Bench, *, stuck: StuckWatch) -> AsyncIterator[Judged]:
    """Each trial's finding as soon as it is known."""
    for trial in trials:
        began = time.monotonic()
        broken = next((bench.parts.broken[one] for one in trial.sections if one in bench.parts.broken), "")
        if broken:
            finding = Finding(Result.FAIL, broken, _look())
        else:
            with stuck.watching(trial):
                finding = await _finding(trial, bench)
        yield Judged(trial, finding, round((time.monotonic() - began) * 1000))


def _look() -> str:
    return _("Check what the message names, then the part's cable, supply and address, and board.json.")


async def _finding(trial: Trial, bench: Bench) -> Finding:
    try:
        async with asyncio.timeout(trial.within_s):
            return await trial.run(bench)
    except TimeoutError:
        found = _("It did not end within %(seconds)d seconds.") % {"seconds": round(trial.within_s)}
        return Finding(Result.FAIL, found, _("Check the part's cable and supply, then try it alone with --only."))
    except (PortError, OSError) as error:
        return Finding(Result.FAIL, worded(error), _look())
    except Exception as error:
        _log.debug("trial %s", trial.name, exc_info=True)
        found = _("The test itself stumbled: %(why)s") % {"why": f"{type(error).__name__}: {error}"}
        return Finding(Result.FAIL, found, _("Send the report to whoever looks after the software."))


class StuckWatch:
    """A driver that blocks in the kernel cannot be interrupted from within: then the rest is told and we leave.

    Args:
        leave: is called on a thread of its own with the trial that is stuck; must end the process.
    """

    def __init__(self, leave: Callable[[Trial], None], *, after_s: float = _STUCK_AFTER_S) -> None:
        self._leave, self._after_s = leave, after_s

    @contextmanager
    def watching(self, trial: Trial) -> Iterator[None]:
        """For a `with` around a trial."""
        timer = threading.Timer(trial.within_s + self._after_s, self._leave, (trial,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
