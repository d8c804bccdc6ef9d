"""What hangs behind the guardian: the amplifier's enable line and, on the board that has it, the FM tuner."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from hardware.errors import CardLostError
from hardware.interfaces import FmSignal, SoundSource

if TYPE_CHECKING:
    from hardware.guardian_link import GuardianLink

_log = logging.getLogger(__name__)


class Capture(Protocol):
    """Where the tuner's sound comes into the computer."""

    async def open(self) -> SoundSource:
        """What it hears from now on. Raises CardLostError."""
        ...


class GuardianAmplifier:
    """Implements `hardware.interfaces.Amplifier`.

    While the guardian is away its relay has fallen and nothing sounds; it hears of the wish with the next beat.
    """

    def __init__(self, link: GuardianLink) -> None:
        self._link = link
        self._failed = False

    async def switch(self, on: bool) -> None:
        """See `hardware.interfaces.Amplifier`."""
        try:
            await self._link.want(amplifier=on)
            self._failed = False
        except CardLostError as error:
            _log.log(logging.DEBUG if self._failed else logging.WARNING, "the amplifier was not switched: %s", error)
            self._failed = True


class GuardianTuner:
    """Implements `hardware.interfaces.FmTuner`: steered over the link, heard through an input of the computer."""

    def __init__(self, link: GuardianLink, capture: Capture) -> None:
        self._link, self._capture = link, capture

    async def tune(self, frequency_khz: int) -> None:
        """See `hardware.interfaces.FmTuner`."""
        await self._link.tune(frequency_khz)

    async def signal(self) -> FmSignal:
        """See `hardware.interfaces.FmTuner`."""
        return await self._link.signal()

    async def open(self) -> SoundSource:
        """See `hardware.interfaces.FmTuner`."""
        return await self._capture.open()
