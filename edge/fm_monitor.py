"""Measures one FM frequency once a second, as long as the core wants it."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from edge.core.events import FmSignalMeasured
from edge.ports import CardLostError, FmTuner
from edge.pump import Feed

_PERIOD_S: Final = 1.0
_log = logging.getLogger(__name__)


class FmMonitor:
    """`run` measures until cancelled; `monitor` chooses the frequency."""

    def __init__(self, tuner: FmTuner | None, *, feed: Feed, period_s: float = _PERIOD_S) -> None:
        self._tuner, self._feed, self._period_s = tuner, feed, period_s
        self._frequency_khz: int | None = None
        self._changed = asyncio.Event()

    def monitor(self, frequency_khz: int | None) -> None:
        """From now on this frequency; None stops."""
        self._frequency_khz = frequency_khz
        self._changed.set()

    async def run(self) -> None:
        """Measures for ever; a tuner that does not answer is asked again every period."""
        while self._tuner is not None:
            self._changed.clear()
            if self._frequency_khz is None:
                await self._changed.wait()
                continue
            await self._watch(self._tuner, self._frequency_khz)

    async def _watch(self, tuner: FmTuner, frequency_khz: int) -> None:
        tuned = told = False
        while not self._changed.is_set():
            try:
                if not tuned:
                    await tuner.tune(frequency_khz)
                    tuned, told = True, False
                signal = await tuner.signal()
            except CardLostError as error:
                _log.log(logging.DEBUG if told else logging.WARNING, "the FM tuner does not answer: %s", error)
                tuned, told = False, True
            else:
                await self._feed(FmSignalMeasured(signal.frequency_khz, signal.rssi_dbuv, signal.pi))
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._period_s):
                await self._changed.wait()
        except TimeoutError:
            pass
