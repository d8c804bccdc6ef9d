"""The same square with a clock chip on the guardian's bus: the hour outlasts a power cut."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulators.guardian_board import is_there
from simulators.guardian_horn import Through
from tests.component import need
from tests.hardware.guardian.scene import FIRST, HOUR, SECOND, Scene, square

pytestmark = pytest.mark.slow


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """The square of a better board."""
    need(is_there(), "MicroPython for Node")
    async with square(chip=True) as scene:
        yield scene


async def test_fm_by_the_guardian_soon_after_a_power_cut(scene: Scene) -> None:
    """6: FM by the guardian 5 to 10 s after the power is back."""
    await scene.boot()
    await scene.arm()
    await scene.die()
    scene.node.board.power(False)
    await scene.wait(30)
    scene.node.board.power(True)
    given = scene.now
    await scene.wait(15)
    opened = scene.moved(Through.FM, given)
    assert opened is not None and opened - given < 10 * SECOND
    assert scene.hears(FIRST, opened + SECOND, scene.now)


async def test_chip_that_stopped_is_not_believed(scene: Scene) -> None:
    """5: a chip whose battery was out has no hour; the first told one sets it."""
    chip = scene.node.clock_chip
    assert chip is not None
    chip.write(bytes([0x0F, 0x80]))
    await scene.boot()
    assert not chip.stopped
    assert abs(chip.wall_ms - scene.now) < 2 * SECOND


async def test_chip_outvotes_a_liar_after_a_reset(scene: Scene) -> None:
    """5: the first word after a reset is not enough when the chip says otherwise."""
    await scene.boot()
    await scene.arm(begin=13 * HOUR, end=15 * HOUR)
    scene.pulse.wall_ms = lambda: int(scene.now) + 14 * HOUR
    scene.node.board.power(False)
    scene.node.board.power(True)
    await scene.wait(10)
    state = scene.link.state()
    assert state is not None and state.clock_refused
    last = await scene.hang()
    await scene.wait(20)
    assert scene.hears_nothing(last + 3.2 * SECOND, scene.now)


async def test_chip_agrees_with_a_clock_that_was_set(scene: Scene) -> None:
    """5: two that agree outvote the guardian's own running clock."""
    await scene.boot()
    assert scene.node.clock_chip is not None
    scene.node.clock_chip.shift_ms(5 * 60 * SECOND)
    scene.pulse.wall_ms = lambda: int(scene.now) + 5 * 60 * SECOND
    await scene.wait(15)
    state = scene.link.state()
    assert state is not None and not state.clock_refused
