"""Proves twice a second that the agent lives: to the service manager, and to the guardian if the board has one.

Both are fed from one place and for one reason: the event loop turns, and no loop in it has been at one thing for too
long. When core, sound path or disk hangs, both go hungry: the guardian switches to its safe state within seconds, and
the service manager starts the agent anew, which then resumes its programme.

The disk is touched now and then so that a dead card is found even while there is nothing to store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from edge.adapters.notify import Notify
from edge.disk import Disk
from edge.ports import CardLostError
from edge.vital import Organ, Vital
from hardware.interfaces import Guardian

BEAT_S: Final = 0.5
"""The guardian waits for three seconds, so a few beats may be lost."""
TOUCH_S: Final = 300.0
"""One write every five minutes wears a card by a few megabytes a day."""
_TOLD_MS: Final = 1000
"""The time goes on by itself, so it is told again only when it has moved by so much."""
_FED_OFTEN: Final = 3
"""The service manager is told so often within the time after which it would give us up."""
_log = logging.getLogger(__name__)


async def keep_watch(
    vital: Vital,
    disk: Disk,
    guardian: Guardian | None,
    *,
    wall_ms: Callable[[], int | None],
    notify: Notify,
    touch: Callable[[], None] = lambda: None,
) -> None:
    """Feeds both watchdogs until cancelled, while nothing is stuck.

    Args:
        wall_ms: the time while two sources agree about it, else None: the guardian must not be told a guess.
        touch: writes something small where the data are; may take as long as the disk does.
    """
    feeder = _Feeder(guardian, notify)
    prober = _Prober(disk, touch)
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    try:
        while True:
            prober.probe(loop.time())
            if not feeder.hungry(vital.stuck()):
                await feeder.feed(loop.time(), wall_ms())
            due_s = max(due_s + BEAT_S, loop.time())
            await asyncio.sleep(due_s - loop.time())
    finally:
        prober.close()


class _Feeder:
    """Says what is to be said to both, and once what is wrong."""

    def __init__(self, guardian: Guardian | None, notify: Notify) -> None:
        self._guardian, self._notify = guardian, notify
        self._stuck: tuple[Organ, ...] = ()
        self._guardian_lost = False
        self._every_s = None if notify.watchdog_s is None else notify.watchdog_s / _FED_OFTEN
        self._fed_s: float | None = None
        self._boot_ms: int | None = None
        self._told = False

    def hungry(self, stuck: tuple[Organ, ...]) -> bool:
        """Whether nothing may be fed; what changes is told once."""
        if stuck and stuck != self._stuck:
            names = ", ".join(stuck)
            _log.error("%s hangs; the watchdogs are not fed any more", names)
            self._told = False
            self._notify.status(f"hangs: {names}")
        elif self._stuck and not stuck:
            _log.warning("%s moves again", ", ".join(self._stuck))
        self._stuck = stuck
        return bool(stuck)

    async def feed(self, now_s: float, wall_ms: int | None) -> None:
        """The service manager at the rate it asks for, the guardian always."""
        if self._every_s is not None and (self._fed_s is None or now_s - self._fed_s >= self._every_s - BEAT_S / 2):
            self._notify.alive()
            self._fed_s = now_s
        self._tell_clock(now_s, wall_ms)
        if self._guardian is not None:
            await self._beat(self._guardian, wall_ms)

    def _tell_clock(self, now_s: float, wall_ms: int | None) -> None:
        """The image sets the clock chip by this word, and by nobody else's."""
        boot_ms = None if wall_ms is None else wall_ms - round(now_s * 1000)
        known = self._boot_ms
        same = abs(boot_ms - known) < _TOLD_MS if boot_ms is not None and known is not None else boot_ms is known
        if same and self._told:
            return
        self._boot_ms, self._told = boot_ms, True
        self._notify.status("clock not agreed" if boot_ms is None else f"clock agreed, boot at {boot_ms}")

    async def _beat(self, guardian: Guardian, wall_ms: int | None) -> None:
        """A line that takes no bytes must not keep the service manager waiting."""
        try:
            async with asyncio.timeout(BEAT_S):
                await guardian.beat(wall_ms)
            self._guardian_lost = False
        except (CardLostError, TimeoutError) as error:
            level = logging.DEBUG if self._guardian_lost else logging.WARNING
            _log.log(level, "the guardian does not hear our heart: %s", error or "it takes no bytes")
            self._guardian_lost = True


class _Prober:
    """Gives the disk something to do; whether it comes back is seen by `Vital`, as with all work of the disk."""

    def __init__(self, disk: Disk, touch: Callable[[], None]) -> None:
        self._disk, self._touch = disk, touch
        self._probe: asyncio.Task[None] | None = None
        self._due_s: float | None = None

    def probe(self, now_s: float) -> None:
        """Begins one when it is due and the last one is over."""
        busy = self._probe is not None and not self._probe.done()
        if busy or (self._due_s is not None and now_s < self._due_s):
            return
        self._due_s = now_s + TOUCH_S
        self._probe = asyncio.create_task(self._touched(), name="disk probe")

    async def _touched(self) -> None:
        try:
            await self._disk.run(self._touch)
        except OSError as error:
            # A full or write-protected disk answers; the agent tells it elsewhere and goes on playing.
            _log.debug("the disk was touched in vain: %s", error)

    def close(self) -> None:
        """Waits for nothing: the disk may never answer."""
        if self._probe is not None:
            self._probe.cancel()
