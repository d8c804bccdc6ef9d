"""Looks after the parts of a board: each is checked in its own time, and only what is new is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, Protocol

from hardware.errors import PortError
from hardware.fm_tuner import Si4703Tuner
from hardware.interfaces import Condition, Part
from hardware.line_meter import LineMeter

_LOOK_S_MAX: Final = 30.0
_AGAIN_S: Final = 10.0
_log = logging.getLogger(__name__)


class Check(Protocol):
    """One part, and how often to look at it."""

    @property
    def part(self) -> Part:
        """Whom it is about."""
        ...

    @property
    def period_s(self) -> float:
        """Time between two looks."""
        ...

    async def look(self) -> Condition | None:
        """How it is; None when that cannot be told now. A PortError means that it does not answer."""
        ...


class PartWatch:
    """Implements `hardware.interfaces.Watch`.

    Args:
        checks: one for each part that is fitted.
        beside: what has to run meanwhile (the meter's `run`); begun anew when it fails.
    """

    def __init__(self, checks: Sequence[Check], *, beside: Sequence[Callable[[], Awaitable[None]]] = ()) -> None:
        self._checks, self._beside = tuple(checks), tuple(beside)

    async def conditions(self) -> AsyncIterator[Condition]:
        """See `hardware.interfaces.Watch`. A check that fails, hangs or falls is a finding and ends no other."""
        news: asyncio.Queue[Condition] = asyncio.Queue()
        tasks = [asyncio.create_task(self._watch(check, news), name=f"watch {check.part}") for check in self._checks]
        tasks += [asyncio.create_task(_keep_going(run), name="beside the watch") for run in self._beside]
        try:
            while True:
                yield await news.get()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, check: Check, news: asyncio.Queue[Condition]) -> None:
        told: bool | None = None
        while True:
            found = await _looked(check)
            if found is not None and found.healthy is not told:
                told = found.healthy
                news.put_nowait(found)
            await asyncio.sleep(check.period_s if found is not None else min(check.period_s, _AGAIN_S))


async def _looked(check: Check) -> Condition | None:
    try:
        async with asyncio.timeout(_LOOK_S_MAX):
            return await check.look()
    except PortError as error:
        return Condition(check.part, False, str(error))
    except TimeoutError:
        return Condition(check.part, False, f"it did not answer within {_LOOK_S_MAX:.0f} s")
    except Exception as error:
        _log.exception("the check of %s fell", check.part)
        return Condition(check.part, False, f"its check fell: {error!r}")


async def _keep_going(run: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await run()
        except Exception:
            _log.exception("what runs beside the watch fell")
        await asyncio.sleep(_AGAIN_S)


class MeterCheck:
    """Implements `Check` for the meter: whether its converter answers, by what its own looks found."""

    part: Final = Part.METER
    period_s: Final = 10.0

    def __init__(self, meter: LineMeter) -> None:
        self._meter = meter

    async def look(self) -> Condition | None:
        """None before the first look."""
        if self._meter.trouble:
            return Condition(self.part, False, self._meter.trouble)
        return None if self._meter.level_cdb() is None else Condition(self.part, True)


class TunerCheck:
    """Implements `Check` for an FM chip on our own bus: whether it answers, also while nobody listens to it."""

    part: Final = Part.TUNER
    period_s: Final = 60.0

    def __init__(self, tuner: Si4703Tuner) -> None:
        self._tuner = tuner

    async def look(self) -> Condition:
        """Wakes it where it sleeps. Raises CardLostError."""
        await self._tuner.check()
        return Condition(self.part, True)
