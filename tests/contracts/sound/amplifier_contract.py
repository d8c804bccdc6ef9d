"""What every Amplifier promises."""

from __future__ import annotations

import pytest

from edge.ports import Amplifier


class AmplifierContract:
    """Subclasses give the amplifier and read its line back."""

    @pytest.fixture
    def amplifier(self) -> Amplifier:
        raise NotImplementedError

    def line(self, amplifier: Amplifier) -> bool:
        """Whether the enable line is on, seen from outside."""
        raise NotImplementedError

    async def test_amplifier_is_off_at_first(self, amplifier: Amplifier) -> None:
        assert not self.line(amplifier)

    async def test_line_follows(self, amplifier: Amplifier) -> None:
        for on in (True, False, True):
            await amplifier.switch(on)
            assert self.line(amplifier) is on

    async def test_same_again_changes_nothing(self, amplifier: Amplifier) -> None:
        await amplifier.switch(True)
        await amplifier.switch(True)
        assert self.line(amplifier)
        await amplifier.switch(False)
        await amplifier.switch(False)
        assert not self.line(amplifier)
