"""The serial line to the guardian as frames: a file descriptor in an event loop, nothing that waits.

pyserial only opens and sets a real port; a test hands over a function that opens something else.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from typing import Any, Final

from hardware.errors import CardLostError
from hardware.guardian.wire import FrameReader
from hardware.i18n import N_

BAUD: Final = 115_200
_READ_BYTES: Final = 4096
_FRAMES_WAITING_MAX: Final = 256
_log = logging.getLogger(__name__)


class GuardianLine:
    """An open line. Close it in the loop that opened it.

    Args:
        port: name of a serial port, or a function that opens a descriptor which is then ours.

    Raises:
        CardLostError: it cannot be opened.
    """

    def __init__(self, port: str | Callable[[], int]) -> None:
        self._serial: Any = None
        self._fd = self._opened(port) if isinstance(port, str) else port()
        os.set_blocking(self._fd, False)
        self._reader = FrameReader()
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue(_FRAMES_WAITING_MAX)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._read)

    def _opened(self, port: str) -> int:
        try:
            import serial
        except ImportError as error:
            raise CardLostError(N_("pyserial is missing: pip install pyserial")) from error
        try:
            self._serial = serial.Serial(port, BAUD, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise CardLostError(_reason(error), port=port, why=error) from error
        return int(self._serial.fileno())

    async def frame(self) -> bytes:
        """The next frame, unjudged. Raises CardLostError when the line has broken."""
        frame = await self._frames.get()
        if frame is None:
            raise CardLostError(N_("the line to the guardian has broken"))
        return frame

    def send(self, data: bytes) -> None:
        """Sends, or drops what does not fit: whoever needs an answer sees that none comes.

        Raises:
            CardLostError: the line has broken.
        """
        try:
            os.write(self._fd, data)
        except BlockingIOError:
            _log.debug("the line to the guardian is full; %d bytes are dropped", len(data))
        except OSError as error:
            raise CardLostError(N_("the line to the guardian has broken: %(why)s"), why=error.strerror) from error

    def close(self) -> None:
        """Lets go of the descriptor."""
        if self._fd < 0:
            return
        self._loop.remove_reader(self._fd)
        if self._serial is not None:
            self._serial.close()
        else:
            os.close(self._fd)
        self._fd = -1

    def _read(self) -> None:
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._fd)
            self._put(None)
            return
        for frame in self._reader.feed(data):
            self._put(frame)

    def _put(self, frame: bytes | None) -> None:
        if self._frames.full():
            self._frames.get_nowait()
        self._frames.put_nowait(frame)


def _reason(error: Exception) -> str:
    """What to do about a port that does not open; pyserial's errors keep the kernel's number."""
    number = getattr(error, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return N_(
            "the guardian's port %(port)s may not be used by this user: sudo usermod -aG dialout $USER, then log in "
            "again, or run the command with sudo"
        )
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return N_(
            "there is no port %(port)s: write enable_uart=1 into /boot/firmware/config.txt and restart, or plug the "
            "guardian in; ls /dev/serial* /dev/ttyACM* shows what there is"
        )
    if number in (errno.EAGAIN, errno.EBUSY):
        return N_(
            "the guardian's port %(port)s is held by another program, perhaps the agent: "
            "sudo systemctl stop loalang-agent"
        )
    return N_("the guardian's port %(port)s cannot be opened: %(why)s")
