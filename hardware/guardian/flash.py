"""Files in the board's flash that survive a power cut: written beside, then renamed over; damage is set aside.

On the RP2040 that is LittleFS, where a rename is one act and a closed file is on the flash.
"""

# ruff: noqa: PTH104, PTH107, PTH123 - MicroPython has no pathlib
import os

FILE_BYTES_MAX = 4096


class Flash:
    """A folder of small files.

    Args:
        folder: where; must exist.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """A file's bytes, None without one; what is too long is cut and so found damaged."""
        try:
            with open(self._path(name), "rb") as file:
                return file.read(FILE_BYTES_MAX)
        except OSError:
            return None

    def write(self, name: str, data: bytes) -> bool:
        """Replaces a file in one act; gives whether it is there now."""
        try:
            with open(self._path(name + ".new"), "wb") as file:
                file.write(data)
            os.rename(self._path(name + ".new"), self._path(name))
        except OSError:
            return False
        return self.read(name) == data

    def set_aside(self, name: str) -> None:
        """Takes a damaged file out of the way, and keeps it for whoever looks; only the last one."""
        try:
            os.rename(self._path(name), self._path(name + ".bad"))
        except OSError:
            pass

    def remove(self, name: str) -> None:
        """Forgets a file; an unknown one is fine."""
        try:
            os.remove(self._path(name))
        except OSError:
            pass

    def _path(self, name: str) -> str:
        return self._folder + "/" + name
