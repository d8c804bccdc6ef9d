"""Every attack runs in virtual time, against a device that knows its schedule, its rules and the hour."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from protocol.bulletin import MediaRef
from protocol.document import Kind
from simulators.attacker import Attacker
from simulators.encoder import encode
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from simulators.virtual_loop import VirtualLoop
from tests.attacks.loudspeaker import Loudspeaker
from tests.attacks.offices import C1, COMMUNE, FRESHNESS, NEIGHBOUR_KEY, NINE, Offices, every_day, seal
from tests.attacks.rooted import Rooted
from tests.attacks.scene import Scene

PROGRAMME_MS = 40_000
LONG_WAIT_S, MOMENT_S = 0.1, 0.001


class PatientLoop(VirtualLoop):
    """Virtual time that lets a thread of the agent have its moment before a long wait is skipped.

    Attributes:
        waits_for_children: while a child process lives, time stands still.
    """

    def __init__(self) -> None:
        self.waits_for_children = True
        self._beginning = 0
        self._children: list[asyncio.SubprocessTransport] = []
        super().__init__()

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        self._beginning += 1
        try:
            made = await super().subprocess_exec(*args, **kwargs)
        finally:
            self._beginning -= 1
        self._children.append(made[0])
        return made

    def _jump(self, seconds: float) -> None:
        if seconds >= LONG_WAIT_S:
            time.sleep(MOMENT_S)
        self._children = [one for one in self._children if one.get_returncode() is None]
        busy = self.waits_for_children and (self._beginning or self._children)
        if busy and seconds:
            time.sleep(MOMENT_S)
        super()._jump(0.0 if busy else seconds)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each is short, but they are hundreds: the quick check leaves them to the whole run."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


def pytest_asyncio_loop_factories(item: pytest.Function) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Which loop pytest-asyncio makes for these tests; a controller and its database need real time."""
    real: bool = getattr(item.module, "REAL_TIME", False)
    return {"real": asyncio.SelectorEventLoop} if real else {"virtual": PatientLoop}


@dataclass(frozen=True, repr=False)
class Recording:
    """A programme as samples, as a file, and as documents name it."""

    samples: bytes
    data: bytes
    media: MediaRef


@pytest.fixture(scope="package")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The true programme."""
    samples = melody(31, duration_ms=PROGRAMME_MS)
    data = encode(samples, tmp_path_factory.mktemp("media") / "programme.opus").read_bytes()
    return Recording(samples, data, MediaRef(hashlib.sha256(data).hexdigest(), len(data), PROGRAMME_MS))


@pytest.fixture(scope="package")
def stations() -> tuple[bytes, bytes]:
    """What the signed station broadcasts, and what a pirate does."""
    return melody(11, duration_ms=5000), melody(99, duration_ms=5000)


@pytest.fixture
async def unplugged(tmp_path: Path, recording: Recording, stations: tuple[bytes, bytes]) -> AsyncIterator[Scene]:
    """A scene whose device is not switched on yet."""
    clock = LoopClock(wall=NINE)
    offices = Offices(clock, recording.media)
    speaker = Loudspeaker(tmp_path, clock, own=stations[0], foreign=stations[1])
    attacker = Attacker(
        freshness=FRESHNESS,
        insider=NEIGHBOUR_KEY,
        wall=lambda: clock.now().wall,
        unit=COMMUNE,
        slot=speaker.slot,
    )
    attacker.web.media[recording.media.digest] = recording.data
    config = seal(Kind.AUDIBLE_CONFIG, offices.config(), C1)
    morning, dawn = offices.item(), offices.item("rang-dong", when=every_day(6 * 3600))
    schedule = seal(Kind.SCHEDULE, offices.schedule(morning, dawn), C1)
    async with attacker:
        attacker.history += [*offices.grants, config, schedule]
        scene = Scene(offices, attacker, speaker, recording.samples, schedule, config)
        await scene.retain(config, schedule)
        try:
            yield scene
        finally:
            await speaker.close()


@pytest.fixture
async def scene(unplugged: Scene) -> Scene:
    """A device in a known good state."""
    await unplugged.power_up()
    return unplugged


@pytest.fixture
async def rooted(unplugged: Scene) -> Rooted:
    """A device that has fetched the root's words on a day before; not switched on yet."""
    made = Rooted(unplugged)
    made.seed()
    return made
