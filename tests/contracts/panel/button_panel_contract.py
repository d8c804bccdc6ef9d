"""What every ButtonPanel promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import pytest

from hardware.interfaces import Button, ButtonPanel, Pressed

_SETTLED_S = 0.06
_TOLD_S = 2.0


class Hands(Protocol):
    """Hands at the buttons of a panel."""

    def hold(self, button: Button, down: bool) -> None:
        """Presses a button, or lets go of it; turns the key."""
        ...


class Looks:
    """Somebody who looks at a panel until the test is over."""

    def __init__(self, panel: ButtonPanel) -> None:
        self._told: asyncio.Queue[Pressed] = asyncio.Queue()
        self._task = asyncio.create_task(self._look(panel))

    async def _look(self, panel: ButtonPanel) -> None:
        async for pressed in panel.presses():
            self._told.put_nowait(pressed)

    async def told(self, count: int) -> list[Pressed]:
        """That many changes, and no more than that."""
        async with asyncio.timeout(_TOLD_S):
            told = [await self._told.get() for _ in range(count)]
        await asyncio.sleep(_SETTLED_S)
        assert self.idle()
        return told

    def idle(self) -> bool:
        """Whether nothing was told that has not been asked for."""
        return self._told.empty()

    async def end(self) -> None:
        """Looks no more."""
        self._task.cancel()
        await asyncio.wait([self._task])


class ButtonPanelContract:
    """Subclasses give a panel and the hands at it.

    Attributes:
        buttons: those that are there; two at least, the key and talk among them.
    """

    buttons: tuple[Button, ...] = tuple(Button)

    @pytest.fixture
    def panel(self) -> ButtonPanel:
        raise NotImplementedError

    @pytest.fixture
    def hands(self) -> Hands:
        raise NotImplementedError

    @pytest.fixture
    async def looks(self, panel: ButtonPanel, hands: Hands) -> AsyncIterator[Looks]:
        looks = Looks(panel)
        await asyncio.sleep(_SETTLED_S)
        yield looks
        await looks.end()

    async def test_each_button_is_told_down_and_up(self, looks: Looks, hands: Hands) -> None:
        for button in self.buttons:
            hands.hold(button, True)
            assert await looks.told(1) == [Pressed(button, True)]
            hands.hold(button, False)
            assert await looks.told(1) == [Pressed(button, False)]

    async def test_untouched_panel_says_nothing(self, looks: Looks) -> None:
        assert await looks.told(0) == []

    async def test_held_button_is_told_once(self, looks: Looks, hands: Hands) -> None:
        hands.hold(Button.TALK, True)
        assert await looks.told(1) == [Pressed(Button.TALK, True)]
        await asyncio.sleep(0.6)
        assert await looks.told(0) == []

    async def test_stuck_button_comes_first(self, panel: ButtonPanel, hands: Hands) -> None:
        hands.hold(Button.TALK, True)
        hands.hold(Button.KEY, True)
        looks = Looks(panel)
        assert await looks.told(2) == [Pressed(Button.KEY, True), Pressed(Button.TALK, True)]
        await looks.end()

    async def test_press_before_anybody_looked_is_over(self, panel: ButtonPanel, hands: Hands) -> None:
        hands.hold(Button.TALK, True)
        hands.hold(Button.TALK, False)
        looks = Looks(panel)
        assert await looks.told(0) == []
        await looks.end()

    async def test_held_button_is_told_to_who_looks_anew(self, panel: ButtonPanel, hands: Hands) -> None:
        first = Looks(panel)
        hands.hold(Button.TALK, True)
        await first.told(1)
        await first.end()
        second = Looks(panel)
        assert await second.told(1) == [Pressed(Button.TALK, True)]
        hands.hold(Button.TALK, False)
        assert await second.told(1) == [Pressed(Button.TALK, False)]
        await second.end()

    async def test_two_buttons_do_not_disturb_each_other(self, looks: Looks, hands: Hands) -> None:
        hands.hold(Button.KEY, True)
        await looks.told(1)
        hands.hold(Button.TALK, True)
        await looks.told(1)
        hands.hold(Button.KEY, False)
        assert await looks.told(1) == [Pressed(Button.KEY, False)]
        hands.hold(Button.TALK, False)
        assert await looks.told(1) == [Pressed(Button.TALK, False)]
