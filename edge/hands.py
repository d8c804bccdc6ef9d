"""Carries effects out, in their order, then tells. What must be durable is so before anything that follows it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from edge.arming import Arming
from edge.attester import Attester
from edge.believed_clock import BelievedClock
from edge.core.effects import (
    ArmGuardian,
    AskAttestation,
    DeleteMedia,
    Effect,
    FeedLive,
    FetchMedia,
    MonitorFm,
    MuteAmplifier,
    PublishReport,
    Relocate,
    SaveState,
    ShiftWall,
    SwitchOutput,
)
from edge.disk import Disk
from edge.downloads import Downloads
from edge.fm_monitor import FmMonitor
from edge.ports import Audio, MediaStore, PortError, StateStore
from edge.reporter import Reporter
from protocol.report import Receipt, Report, Standing
from protocol.units import UnitPath

_SOUND_S_MAX: Final = 5.0
_PROMISES: Final = frozenset({Standing.RECEIVED, Standing.READY, Standing.CANCELLED})
_log = logging.getLogger(__name__)


class Hands:
    """What the core's wishes become."""

    def __init__(
        self,
        *,
        disk: Disk,
        state: StateStore,
        media: MediaStore,
        audio: Audio,
        reporter: Reporter,
        downloads: Downloads,
        attester: Attester,
        arming: Arming,
        fm: FmMonitor,
        sound_clock: BelievedClock,
        relocate: Callable[[UnitPath], None],
    ) -> None:
        self._disk, self._state, self._media, self._audio = disk, state, media, audio
        self._sound_clock, self._relocate = sound_clock, relocate
        self._reporter, self._downloads, self._attester, self._fm = reporter, downloads, attester, fm
        self._arming = arming
        self._save_failed = False

    async def carry_out(self, effects: Iterable[Effect], *, must_save: bool = True, tell: bool = True) -> str | None:
        """Does them all; the reason when the state could not be saved.

        Deeds come before papers: the horn does not wait until the outbox has a receipt on disk. After a failed save
        nothing follows but reports of what has happened anyway, and without `tell` not even those: it is decided once
        more. With `must_save` off the rest is done all the same.
        """
        failure = None
        reports: list[Report] = []
        for effect in effects:
            if isinstance(effect, PublishReport):
                reports.append(effect.report)
            elif failure is None:
                failure = await self._do(effect)
                failure = failure if must_save else None
        if failure is not None:
            reports = [report for report in reports if tell and not _is_promise(report)]
        if reports:
            await self._reporter.publish(tuple(reports))
        return failure

    async def _do(self, effect: Effect) -> str | None:
        match effect:
            case SaveState():
                return await self._save(effect)
            case SwitchOutput() | FeedLive() | MuteAmplifier():
                await self._sound(effect)
            case FetchMedia(media, urgent):
                self._downloads.want(media, urgent=urgent)
            case DeleteMedia(digest):
                self._downloads.forget(digest)
                await self._delete(digest)
            case MonitorFm(frequency_khz):
                self._fm.monitor(frequency_khz)
            case ShiftWall(shift_ms):
                self._sound_clock.shift_ms = shift_ms
            case AskAttestation():
                self._attester.ask()
            case ArmGuardian(plan):
                self._arming.arm(plan)
            case Relocate(place):
                self._relocate(place)
        return None

    async def _save(self, effect: SaveState) -> str | None:
        try:
            await self._disk.run(lambda: self._state.save(effect.registers, effect.put, effect.drop))
        except (PortError, OSError) as error:
            level = logging.DEBUG if self._save_failed else logging.WARNING
            _log.log(level, "the state could not be saved: %s", error)
            self._save_failed = True
            return str(error) or type(error).__name__
        self._save_failed = False
        return None

    async def _delete(self, digest: str) -> None:
        try:
            await self._disk.run(lambda: self._media.delete(digest))
        except (PortError, OSError) as error:
            _log.warning("medium %s could not be deleted: %s", digest[:12], error)

    async def _sound(self, effect: SwitchOutput | FeedLive | MuteAmplifier) -> None:
        try:
            async with asyncio.timeout(_SOUND_S_MAX):
                match effect:
                    case SwitchOutput(output, at):
                        await self._audio.switch(output, at=at)
                    case FeedLive(session_id, counter, packets):
                        self._audio.feed_live(session_id, counter, packets)
                    case MuteAmplifier(muted):
                        await self._audio.mute(muted)
        except Exception:
            _log.exception("the sound path failed on %s", type(effect).__name__)


def _is_promise(report: Report) -> bool:
    """Whether it tells that something is kept, rather than what happened."""
    return isinstance(report, Receipt) and report.standing in _PROMISES
