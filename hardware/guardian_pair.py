"""Pairs a computer with its guardian: makes the key they share and hands it over while the jumper is closed.

`python -m hardware.guardian_pair PORT KEYFILE`. The port is opened before anything is asked or made. The key is
written to the file first, readable by its owner alone, so it is never only in the guardian; a file that is there
already is handed over again (a new guardian, the same computer).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from hardware.errors import BoardError, PortError
from hardware.guardian import message, wire
from hardware.guardian_line import GuardianLine
from hardware.i18n import CATALOGUE, N_, worded
from hardware.i18n import gettext as _

WAIT_S_MAX: Final = 60.0
_AGAIN_S: Final = 0.5
_KEY_FILE_BYTES_MAX: Final = 128


def key_of(path: Path) -> bytes:
    """The key in a file; a fresh one where there is no file yet.

    Raises:
        BoardError: the file holds something else.
        OSError: it cannot be read or made.
    """
    try:
        with path.open("rb") as file:
            return _read(path, file.read(_KEY_FILE_BYTES_MAX))
    except FileNotFoundError:
        key = os.urandom(wire.KEY_BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(descriptor)
        return key


def _read(path: Path, data: bytes) -> bytes:
    try:
        key = bytes.fromhex(data.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != wire.KEY_BYTES:
        words = N_("%(path)s holds no key of a guardian; name another file, or remove it and a new key is made")
        raise BoardError(words, path=path)
    return key


async def pair(port: str | Callable[[], int], key: bytes, *, within_s: float = WAIT_S_MAX) -> bool:
    """Hands the key over; gives whether the guardian has shown that it holds it.

    Raises:
        CardLostError: the port cannot be used.
    """
    line = GuardianLine(port)
    try:
        return await _handed_over(line, key, within_s)
    finally:
        line.close()


async def _handed_over(line: GuardianLine, key: bytes, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            while True:
                line.send(wire.greeting(message.PAIR, key, key))
                if await _confirmed(line, key):
                    return True
    except TimeoutError:
        return False


async def _confirmed(line: GuardianLine, key: bytes) -> bool:
    try:
        async with asyncio.timeout(_AGAIN_S):
            while True:
                told = wire.greeted(await line.frame(), message.PAIRED, key)
                if told == hashlib.sha256(key).digest()[:8]:
                    return True
    except TimeoutError:
        return False


async def pair_by_hand(port: str | Callable[[], int], key: Callable[[], bytes], say: Callable[[str], object]) -> bool:
    """The port first: without it there is no need for a key, nor for a screwdriver.

    Raises:
        PortError, OSError: of the port, or of the key.
    """
    line = GuardianLine(port)
    try:
        shared = key()
        say(_("Close the guardian's pairing jumper now; I wait for a minute."))
        return await _handed_over(line, shared, WAIT_S_MAX)
    finally:
        line.close()


def verdict(*, paired: bool) -> str:
    """What to tell the technician, translated."""
    if paired:
        return _("Paired. Take the jumper off and close the box.")
    return _("The guardian did not answer. Is its jumper closed, has it power, is the port the right one?")


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 when they are a pair."""
    parser = argparse.ArgumentParser(
        prog="python -m hardware.guardian_pair", description=_("Pairs with the guardian.")
    )
    parser.add_argument("port", help=_("the serial port it is on"))
    parser.add_argument("key_file", type=Path, help=_("where the shared key is kept"))
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    chosen = parser.parse_args(arguments)
    CATALOGUE.use(chosen.lang)
    try:
        told = partial(print, flush=True)
        paired = asyncio.run(pair_by_hand(chosen.port, partial(key_of, chosen.key_file), told))
    except (OSError, PortError) as error:
        print(_("It did not work: %(why)s") % {"why": worded(error)}, file=sys.stderr)
        return 1
    print(verdict(paired=paired))
    return 0 if paired else 1


if __name__ == "__main__":
    sys.exit(main())
