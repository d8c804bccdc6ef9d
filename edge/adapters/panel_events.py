"""What hands do at a board's buttons, in the words of the core. One translation, whoever made the buttons."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

from edge.core.events import Event, MessagePressed, StopPressed, TalkPressed, TalkReleased
from hardware.interfaces import Button, ButtonPanel, Pressed

_MESSAGES: Final = {Button.MESSAGE_1: 1, Button.MESSAGE_2: 2, Button.MESSAGE_3: 3}


class PanelEvents:
    """Implements `edge.ports.Panel`. The key switch counts at the moment the talk button goes down."""

    def __init__(self, buttons: ButtonPanel) -> None:
        self._buttons = buttons
        self._key = self._talking = False

    async def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.Panel`. Begun anew, it forgets nobody who let go of the talk button in between."""
        if self._talking:
            self._talking = False
            yield TalkReleased()
        self._key = False
        async for pressed in self._buttons.presses():
            for event in self._translated(pressed):
                yield event

    def _translated(self, pressed: Pressed) -> Iterator[Event]:
        match pressed:
            case Pressed(Button.KEY, down):
                self._key = down
            case Pressed(Button.TALK, down):
                self._talking = down
                yield TalkPressed(emergency=self._key) if down else TalkReleased()
            case Pressed(Button.STOP, True):
                yield StopPressed()
            case Pressed(button, True):
                yield MessagePressed(_MESSAGES[button])
