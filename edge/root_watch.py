"""Asks for the root's words in a child process: at start, every few hours, and when a stick brings some.

The child (`edge.updates`) verifies by TUF and leaves files behind; what is told to the core is read from these files,
at start also without a network. The child's memory is bounded by itself (RLIMIT_AS), its life by us.

What expires is judged by the earlier of two clocks, the machine's and the believed one. A believed clock is never
below its floor, and only the root can lower a floor that ran ahead: judged by that clock alone, the root's word about
it would be refused as expired for ever. Versions, not dates, keep older words out.
"""

from __future__ import annotations

import asyncio
import builtins
import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Final

from edge.adapters.slow_lane import SlowLane
from edge.backoff import Backoff
from edge.core.events import RootReceived, RootRefused
from edge.ports import Clock
from protocol.errors import Refusal
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from protocol.stick import ROOT

CHILD_S_MAX: Final = 60.0
_KILLED_S_MAX: Final = 5.0
_REASON_CHARS_MAX: Final = 500
_NOT_THERE: Final = frozenset({"DownloadError", "DownloadHTTPError"})


def _is_os_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, OSError)


_REFUSALS: Final = {
    "UnsignedMetadataError": Refusal.THRESHOLD_NOT_MET,
    "BadVersionNumberError": Refusal.OLDER_VERSION,
    "EqualVersionNumberError": Refusal.OLDER_VERSION,
    "ExpiredMetadataError": Refusal.EXPIRED,
    "LengthOrHashMismatchError": Refusal.BAD_SIGNATURE,
    "DownloadLengthMismatchError": Refusal.TOO_LARGE,
    "SlowRetrievalError": Refusal.MALFORMED_ENVELOPE,
    "WithheldError": Refusal.MALFORMED_ENVELOPE,
}
"""By what the child names first; everything else that it stumbles over is not a document of the root."""
_ABSENT: Final = frozenset(name for name, kind in vars(builtins).items() if _is_os_error(kind)) | _NOT_THERE
"""What did not come at all, or finds no room here, is only logged: a line that is down is no attack."""
_log = logging.getLogger(__name__)

Mark = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When the child is begun, in seconds; each wait is drawn from its upper half, so no village asks at once.

    Attributes:
        first_s: after the start, when the link has had its time.
        retry_s: after the first failure; doubles up to `every_s`.
        look_s: between two looks for a stick.
    """

    first_s: float = 120.0
    every_s: float = 6 * 3600.0
    retry_s: float = 600.0
    look_s: float = 5.0


@dataclass(frozen=True, slots=True)
class RootPlaces:
    """Where everything is.

    Attributes:
        enrolled: the root that enrolment pinned.
        data: a directory of our own, for what is trusted and what was fetched.
        url: the controller's `/root`.
        tls: further words for the child, such as `--ca-file`.
        usb: where sticks are mounted, or None.
    """

    enrolled: Path
    data: Path
    url: str
    tls: tuple[str, ...] = ()
    usb: Path | None = None

    @property
    def targets(self) -> Path:
        """Where the child puts what it has verified."""
        return self.data / "targets"


@dataclass(slots=True)
class RootWatch:
    """A source of events for the runner.

    Attributes:
        clocks: the machine's and the believed one.
    """

    places: RootPlaces
    clocks: tuple[Clock, ...]
    rhythm: Rhythm = field(default_factory=Rhythm)
    child_s_max: float = CHILD_S_MAX
    _eyes: SlowLane = field(default_factory=lambda: SlowLane("root stick"))
    _child: asyncio.subprocess.Process | None = None
    _refused: RootRefused | None = None

    async def events(self) -> AsyncGenerator[RootReceived | RootRefused, None]:
        """What is trusted, told once at start and whenever it changed; and what came and was refused."""
        told = RootReceived()
        clock, rhythm = asyncio.get_running_loop().time, self.rhythm
        retry = Backoff(low_s=rhythm.retry_s, high_s=rhythm.every_s)
        due_s, seen = clock() + _drawn(rhythm.first_s), None
        while True:
            held = await asyncio.to_thread(self._held)
            if held != told:
                told = held
                yield held
            if self._refused is not None:
                refused, self._refused = self._refused, None
                yield refused
            await asyncio.sleep(max(0.0, min(rhythm.look_s, due_s - clock())))
            mark = await self._look(seen)
            if mark is not None and mark != seen:
                await self._sync("--usb", str(self._stick()))
            seen = mark
            if clock() >= due_s:
                went_well = await self._sync("--url", self.places.url, *self.places.tls)
                due_s = clock() + (_drawn(rhythm.every_s) if went_well else retry.next_s())
                if went_well:
                    retry.reset()

    def _held(self) -> RootReceived:
        return RootReceived(*(_read(self.places.targets / name) for name in ("anchor.json", "root-word.json")))

    def _stick(self) -> Path:
        return (self.places.usb or Path()) / ROOT

    async def _look(self, seen: Mark | None) -> Mark | None:
        """Tells one stick from another, and from none; what hangs is as it was."""
        if self.places.usb is None:
            return None
        try:
            return await self._eyes.run(lambda: _mark(self._stick() / "metadata" / "timestamp.json"))
        except TimeoutError:
            return seen

    async def _sync(self, *source: str) -> bool:
        """Runs the child; False when it did not do all it should."""
        if self._child is not None and self._child.returncode is None:
            return False
        command = [sys.executable, "-m", "edge.updates", "sync", *self._words(), *source]
        self._child = child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self.child_s_max):
                _, told = await child.communicate()
        except TimeoutError:
            self._failed(f"SlowRetrievalError: nothing complete came within {self.child_s_max:.0f} s")
            return False
        finally:
            await _end(child)
        if child.returncode:
            words = " ".join(told.decode(errors="replace")[:_REASON_CHARS_MAX].split())
            self._failed(words or f"the child ended with {child.returncode}")
        return child.returncode == 0

    def _failed(self, told: str) -> None:
        _log.warning("the root's words did not come: %s", told)
        named = told.partition(":")[0]
        if named not in _ABSENT:
            self._refused = RootRefused(_REFUSALS.get(named, Refusal.MALFORMED_DOCUMENT), told)

    def _words(self) -> list[str]:
        places, now = self.places, min(clock.now().wall for clock in self.clocks)
        directories = ["--metadata-dir", str(places.data / "metadata"), "--target-dir", str(places.targets)]
        return [*directories, "--root", str(places.enrolled), "--now", str(now)]


async def _end(child: asyncio.subprocess.Process) -> None:
    """A child that a dying stick holds in the kernel cannot be killed; nobody waits for it."""
    if child.returncode is not None:
        return
    with suppress(ProcessLookupError):
        child.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(_KILLED_S_MAX):
            await child.wait()


def _drawn(limit_s: float) -> float:
    return SystemRandom().uniform(limit_s / 2, limit_s)


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            # One byte more than allowed is enough for the core to refuse it by name.
            return file.read(ALERT_ENVELOPE_BYTES_MAX + 1)
    except OSError:
        return None


def _mark(path: Path) -> Mark | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
