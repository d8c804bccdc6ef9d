"""Files from a USB stick: a directory laid out as the web server's. No links, no pipes, nothing outside of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

SCHEME: Final = "stick:///"
FILE_BYTES_MAX: Final = 256 * 1024 * 1024
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_%~+@=-][A-Za-z0-9._%~+@=-]{0,199}")
_SEGMENTS_MAX: Final = 8
_CHUNK_BYTES: Final = 64 * 1024
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe must not make us wait, so it is opened without blocking before its kind is known.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class StickFetcher(FetcherInterface):
    """Implements python-tuf's one seam to the network over a directory; addresses begin with `SCHEME`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def close(self) -> None:
        """Nothing is kept open between two files."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        segments = _segments(url)
        try:
            number = self._open(segments)
        except FileNotFoundError as error:
            raise DownloadHTTPError(f"{'/'.join(segments)} is not on the stick", 404) from error
        except OSError as error:
            raise DownloadError(f"{'/'.join(segments)} cannot be read: {error.strerror}") from error
        return _chunks(number)

    def _open(self, segments: list[str]) -> int:
        with ExitStack() as stack:
            folder = os.open(self._directory, _FOLDER)
            stack.callback(os.close, folder)
            for segment in segments[:-1]:
                folder = os.open(segment, _FOLDER, dir_fd=folder)
                stack.callback(os.close, folder)
            number = os.open(segments[-1], _FILE, dir_fd=folder)
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_BYTES_MAX:
            os.close(number)
            raise OSError(0, "it is not an ordinary file of a sensible size")
        return number


def _segments(url: str) -> list[str]:
    path = url.removeprefix(SCHEME)
    segments = path.split("/")
    if path == url or len(segments) > _SEGMENTS_MAX or not all(_SEGMENT.fullmatch(one) for one in segments):
        raise DownloadError("this name is not looked for on a stick")
    return segments


def _chunks(number: int) -> Iterator[bytes]:
    with os.fdopen(number, "rb") as file:
        try:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
        except OSError as error:
            raise DownloadError(f"the stick cannot be read: {error.strerror}") from error
