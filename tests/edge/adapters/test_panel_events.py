"""What hands do, in the words of the core."""

from __future__ import annotations

import asyncio

from edge.adapters.panel_events import PanelEvents
from edge.core.events import Event, MessagePressed, StopPressed, TalkPressed, TalkReleased
from hardware.interfaces import Button
from simulators.button import SimButtons


async def told(events: PanelEvents, count: int) -> list[Event]:
    source = events.events()
    async with asyncio.timeout(5):
        seen = [await anext(source) for _ in range(count)]
    await source.aclose()  # type: ignore[attr-defined]
    return seen


async def test_key_counts_when_the_talk_button_goes_down() -> None:
    buttons = SimButtons()
    source = PanelEvents(buttons).events()
    buttons.key_turned = True
    buttons.press_talk()
    assert await anext(source) == TalkPressed(emergency=True)
    buttons.key_turned = False
    buttons.release_talk()
    assert await anext(source) == TalkReleased()
    buttons.press_talk()
    buttons.key_turned = True
    assert await anext(source) == TalkPressed(emergency=False)


async def test_messages_have_numbers() -> None:
    buttons = SimButtons()
    source = PanelEvents(buttons).events()
    waiting = asyncio.ensure_future(anext(source))
    await asyncio.sleep(0)
    for number in (1, 2, 3):
        buttons.press_message(number)
    buttons.press_stop()
    seen = [await waiting, *[await anext(source) for _ in range(3)]]
    assert seen == [MessagePressed(1), MessagePressed(2), MessagePressed(3), StopPressed()]


async def test_release_is_not_lost_when_the_panel_begins_anew() -> None:
    buttons = SimButtons()
    events = PanelEvents(buttons)
    buttons.press_talk()
    assert await told(events, 1) == [TalkPressed(emergency=False)]
    buttons.release_talk()
    assert await told(events, 1) == [TalkReleased()]


async def test_button_that_is_still_held_is_pressed_again_when_the_panel_begins_anew() -> None:
    buttons = SimButtons()
    events = PanelEvents(buttons)
    buttons.hold(Button.TALK, True)
    await told(events, 1)
    assert await told(events, 2) == [TalkReleased(), TalkPressed(emergency=False)]
