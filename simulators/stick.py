"""A USB stick for one device: filled at the commune's office, where the network works, then put into the device.

The bundle is made by the technician's own tool; the device verifies all of it.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp

from provisioning.bundle import make_bundle
from provisioning.errors import ProvisioningError
from simulators.face import StickState

if TYPE_CHECKING:
    from simulators.surroundings import Enrolled, Surroundings

_READ_S: Final = 4.0
"""The device looks for a stick every two seconds."""
_log = logging.getLogger(__name__)


class Stick:
    """Its slot at the device.

    Attributes:
        mounted: the directory that the device sees while a stick is in.
    """

    def __init__(self, slot: Path) -> None:
        self.mounted = slot
        self.state = StickState.NONE
        self._hand = asyncio.Lock()

    async def plug(self, enrolled: Enrolled, around: Surroundings) -> None:
        """Fills a stick and puts it in, instead of the one that is there."""
        async with self._hand:
            self.state = StickState.READING
            try:
                await self._fill(enrolled, around)
            except (ProvisioningError, OSError) as error:
                _log.warning("no stick for %s: %s", enrolled.device, error)
                self.state = StickState.FAILED
                return
            await asyncio.sleep(_READ_S)
            self.state = StickState.DONE

    async def _fill(self, enrolled: Enrolled, around: Surroundings) -> None:
        filling = self.mounted.with_name(f"{self.mounted.name}.filling")
        await asyncio.to_thread(shutil.rmtree, filling, ignore_errors=True)
        # The device's own identity opens only what any device of this place may read.
        async with aiohttp.ClientSession() as session:
            await make_bundle(around.line(session, enrolled), enrolled.place, filling)
        await asyncio.to_thread(shutil.rmtree, self.mounted, ignore_errors=True)
        filling.rename(self.mounted)
