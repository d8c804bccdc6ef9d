"""Takes a form with a file while it streams in: the file goes to disk block by block and is never held in memory."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import BodyPartReader, web

from controller.keys import CONFIG
from controller.library.refusal import Reason, SoundRefusedError
from controller.library.service import is_full
from controller.library.storage import DigestStorage
from controller.web.explained import N_, Explained

_BLOCK_BYTES: Final = 64 * 1024
_FIELD_BYTES_MAX: Final = 4 * 1024
_PARTS_MAX: Final = 16
_FRAME_BYTES_MAX: Final = 64 * 1024
"""What a form's own lines may add to the file."""


@dataclass(slots=True)
class Upload:
    """A form that came in.

    Attributes:
        path: where the file lies; taken away when the block ends.
        source_name: what the sender calls it.
    """

    path: Path
    fields: dict[str, str]
    source_name: str = ""
    came: bool = False


def check_size(request: web.Request, storage: DigestStorage) -> None:
    """Refuses by the announced length, before anything is read. Raises SoundRefusedError."""
    announced = request.content_length or 0
    limit = request.app[CONFIG].upload_bytes_max
    if announced > limit + _FRAME_BYTES_MAX:
        raise _too_large(limit)
    if announced > storage.free_bytes():
        raise SoundRefusedError(Reason.DISK_FULL)


@contextlib.asynccontextmanager
async def received(
    request: web.Request, storage: DigestStorage, *, check: Callable[[dict[str, str]], object]
) -> AsyncIterator[Upload]:
    """The form, read to its end.

    Args:
        check: looks at the fields that came before the file, and raises what speaks against taking it.

    Raises:
        SoundRefusedError: the file is too large (reading stops at once), or the disk is full.
        Explained: not such a form, or without a file.
    """
    if request.content_type != "multipart/form-data":
        raise Explained(N_("Please choose a sound file and send it."), code="no_file")
    check_size(request, storage)
    with storage.draft("upload") as path:
        upload = Upload(path, {})
        try:
            await _read(request, upload, check)
        except OSError as error:
            if not is_full(error):
                raise
            raise SoundRefusedError(Reason.DISK_FULL) from error
        except ValueError as error:
            raise Explained(N_("The request could not be understood. Go back and try again.")) from error
        if not upload.came:
            raise Explained(N_("Please choose a sound file and send it."), code="no_file")
        yield upload


async def _read(request: web.Request, upload: Upload, check: Callable[[dict[str, str]], object]) -> None:
    form = await request.multipart()
    for _ in range(_PARTS_MAX):
        part = await form.next()
        if part is None:
            return
        if not isinstance(part, BodyPartReader):
            raise ValueError("a form within a form")
        if part.name == "file" and not upload.came:
            check(upload.fields)
            upload.source_name, upload.came = part.filename or "", True
            await _write(part, upload.path, limit=request.app[CONFIG].upload_bytes_max)
        else:
            upload.fields[part.name or ""] = await _text(part)
    raise ValueError("too many parts")


async def _write(part: BodyPartReader, path: Path, *, limit: int) -> None:
    size_bytes = 0
    with path.open("wb") as file:
        while block := await part.read_chunk(_BLOCK_BYTES):
            size_bytes += len(block)
            if size_bytes > limit:
                raise _too_large(limit)
            file.write(block)


async def _text(part: BodyPartReader) -> str:
    data = bytearray()
    while block := await part.read_chunk(_FIELD_BYTES_MAX):
        data += block
        if len(data) > _FIELD_BYTES_MAX:
            raise ValueError("a field is too long")
    return data.decode()


def _too_large(limit: int) -> SoundRefusedError:
    return SoundRefusedError(Reason.TOO_LARGE, megabytes=limit // (1024 * 1024))
