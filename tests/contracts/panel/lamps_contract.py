"""What every set of lamps promises."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from hardware.interfaces import Glow, Lamps, LampStates

_MOMENT_S = 0.01


class LampsContract:
    """Subclasses give the lamps and look at them.

    Attributes:
        fitted: names of the lamps that are there; two at least.
    """

    fitted: tuple[str, ...] = ("on_air", "link", "fault")

    @pytest.fixture
    def lamps(self) -> Lamps:
        raise NotImplementedError

    def lit(self, lamps: Lamps, name: str) -> bool:
        """Whether a lamp is bright now, seen from outside."""
        raise NotImplementedError

    async def _seen(self, lamps: Lamps, name: str) -> bool:
        await asyncio.sleep(_MOMENT_S)
        return self.lit(lamps, name)

    async def test_lamps_are_dark_at_first(self, lamps: Lamps) -> None:
        for name in self.fitted:
            assert not await self._seen(lamps, name)

    async def test_each_lamp_shines_alone(self, lamps: Lamps) -> None:
        for name in self.fitted:
            lamps.show(LampStates(**{name: Glow.ON}))
            for other in self.fitted:
                assert await self._seen(lamps, other) is (other == name)
        lamps.show(LampStates())
        assert not await self._seen(lamps, self.fitted[-1])

    async def test_blinking_lamps_do_so_together(self, lamps: Lamps) -> None:
        one, two = self.fitted[:2]
        lamps.show(LampStates(**{one: Glow.BLINK}))
        await asyncio.sleep(0.3)
        lamps.show(LampStates(**{one: Glow.BLINK, two: Glow.BLINK}))
        seen = []
        for _ in range(20):
            await asyncio.sleep(0.1)
            seen.append((self.lit(lamps, one), self.lit(lamps, two)))
        assert set(seen) == {(True, True), (False, False)}
        assert 2 <= sum(before != after for before, after in pairwise(seen)) <= 5

    async def test_lamp_that_blinked_stays_out(self, lamps: Lamps) -> None:
        name = self.fitted[0]
        lamps.show(LampStates(**{name: Glow.BLINK}))
        await asyncio.sleep(0.7)
        lamps.show(LampStates())
        for _ in range(6):
            await asyncio.sleep(0.2)
            assert not self.lit(lamps, name)
