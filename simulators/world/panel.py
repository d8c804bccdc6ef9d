"""The buttons and the key switch at a device, and whoever holds them: they stay down over a power cut.

Stands for `hardware/gpio_panel.py` behind its debouncer; what a press means to the core is said by the real
`edge/adapters/panel_events.py`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from hardware.interfaces import Button, Pressed

_WAITING_MAX = 64


class WorldPanel:
    """Implements `hardware.interfaces.ButtonPanel`.

    Attributes:
        down: what is held down now.
    """

    def __init__(self) -> None:
        self.down: set[Button] = set()
        self._waiting: deque[Pressed] = deque(maxlen=_WAITING_MAX)
        self._came: asyncio.Future[None] | None = None

    def press(self, button: Button, down: bool) -> None:
        """A hand, or the lack of one."""
        if down == (button in self.down):
            return
        (self.down.add if down else self.down.discard)(button)
        self._waiting.append(Pressed(button, down))
        if self._came is not None and not self._came.done():
            self._came.set_result(None)

    async def presses(self) -> AsyncIterator[Pressed]:
        """What is held down at the beginning comes first, the key before what it gives its meaning to."""
        self._waiting.clear()
        for button in (Button.KEY, *(one for one in Button if one is not Button.KEY)):
            if button in self.down:
                self._waiting.append(Pressed(button, True))
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            self._came = asyncio.get_running_loop().create_future()
            await self._came
