"""What a device under a flood must keep: little memory, and an ear for the other path."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from protocol.document import Kind
from simulators.tone_voice import tone_speech
from tests.attacks.offices import C1, seal
from tests.attacks.scene import Scene

MB: Final = 1024 * 1024
MEMORY_MAX: Final = 24 * MB
"""What an attack may make the agent hold at its worst; a board has 512 MB."""


@contextmanager
def little_memory() -> Iterator[None]:
    """Whatever happens within must not make the agent hold much."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_MAX, f"{peak / MB:.0f} MB were held"


async def obeys_by_poll(scene: Scene) -> None:
    """A true emergency by the second path, while the first is under attack."""
    began, alert = scene.wall, scene.offices.alert()
    await scene.attacker.web.tell(alerts=[seal(Kind.ALERT, alert, C1).pack()])
    await scene.speaker.until_heard(tone_speech(alert.parts[0].text), began, within_s=15)
    await scene.attacker.web.tell(alerts=[seal(Kind.CANCEL, scene.offices.cancel(alert), C1).pack()])
    await scene.speaker.until_quiet()
