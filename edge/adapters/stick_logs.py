"""A village's logs leave on a stick, sealed to the province's key, where no network carries them.

A technician puts a directory `loalang-logs` on the stick; the device writes one file there, once for each time the
stick is put in. Inside are lines of JSON, of each kind the newest first, as far as there is room:

    ["log", {...}]                  device, place and time, first of all
    ["status", {...}]               how the device is now
    ["versions", {...}]             the high-waters by document kind and scope
    ["report", topic, {...}]        what still waits for the network: receipts, faults, as-run records
    ["journal", [...]]              what the agent was told lately

Reports that were carried still wait for the network, and are sent once it is back. An as-run record that the
controller has acknowledged is there already, and is not kept on the device.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edge.core.clock_trust import believed
from edge.core.state import AgentState
from edge.core.status import status_of
from edge.ports import Clock
from protocol import codec
from protocol.clock import ClockTrust, Now, local_datetime
from protocol.errors import DocumentError
from protocol.sealed import PIECE_BYTES, log_key, seal
from protocol.stick import LOG_BYTES_MAX, LOGS, SEALED_SUFFIX

FILES_A_DAY_MAX: Final = 9
"""A stick that is forgotten in a device which starts again and again is not filled up."""
_ROOM_KEPT_BYTES: Final = 256 * 1024
_ROWS: Final = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StickLogs:
    """Implements CarriesOut.

    Args:
        data: the agent's directory, with outbox and journal.
        state: what the agent knows now; None while it starts.
        flush: writes what the journal still holds in memory.
    """

    data: Path
    clock: Clock
    state: Callable[[], AgentState | None]
    flush: Callable[[], Awaitable[None]]
    bytes_max: int = LOG_BYTES_MAX

    async def prepare(self) -> None:
        """The last seconds before the stick are what a technician asks about."""
        await self.flush()

    def write(self, stick: Path) -> None:
        """Writes a sealed log; does nothing when the anchor names no key for it.

        Raises:
            OSError: the stick does not take it.
        """
        state = self.state()
        key = state.identity.anchor.log_key if state else None
        if state is None or key is None:
            _log.info("a stick asks for logs, and the anchor names no key to seal them to")
            return
        now = believed(state.clock, self.clock.now())
        with _opened(stick / LOGS) as folder:
            room = min(self.bytes_max, _free_bytes(folder) - _ROOM_KEPT_BYTES)
            name = _free_name(folder, state.identity.device, _date(now))
            if room < PIECE_BYTES or name is None:
                _log.warning("a stick asks for logs and has no room for them")
                return
            lines = _bounded(self._lines(state, now), bytes_max=room)
            try:
                pieces = seal(
                    lines, recipient=log_key(key), label=codec.encode({"device": state.identity.device, "log": 1})
                )
            except DocumentError as error:
                _log.error("logs cannot be sealed: %s", error)
                return
            written = _write_whole(folder, name, pieces)
        _log.info("%d bytes of sealed logs were written to the stick as %s", written, name)

    def _lines(self, state: AgentState, now: Now) -> Iterator[bytes]:
        who = state.identity
        yield _line("log", {"device": who.device, "place": who.place, "agent": who.agent_version, "wall": now.wall})
        yield _line("status", replace(status_of(state, now), levels=()))
        yield _line("versions", {**state.trust.versions})
        yield from _reports(self.data / "outbox.db")
        for path in sorted((self.data / "journal").glob("journal-*.jsonl"), reverse=True):
            yield from (b'["journal",' + line + b"]\n" for line in _backwards(path))


def _line(kind: str, value: object) -> bytes:
    return codec.encode((kind, value)) + b"\n"


def _bounded(lines: Iterable[bytes], *, bytes_max: int) -> Iterator[bytes]:
    """As many as fit; what does not is counted on the last line."""
    left, lost = bytes_max - 100, 0
    for line in lines:
        if len(line) > left:
            lost += 1
            left = 0
            continue
        left -= len(line)
        yield line
    if lost:
        yield _line("left out", lost)


def _reports(outbox: Path) -> Iterator[bytes]:
    """Newest first. Through a connection of its own, page by page: the agent's never waits for a stick."""
    newest = 2**62
    try:
        with closing(sqlite3.connect(f"{outbox.as_uri()}?mode=ro", uri=True)) as connection:
            query = "SELECT id, topic, payload FROM letters WHERE id < ? ORDER BY id DESC LIMIT ?"
            while rows := connection.execute(query, (newest, _ROWS)).fetchall():
                yield from (b'["report","%s",%s]\n' % (str(topic).encode(), payload) for _, topic, payload in rows)
                newest = rows[-1][0]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        _log.warning("the outbox cannot be read for the stick: %s", error)


def _backwards(path: Path) -> Iterator[bytes]:
    """A file's lines, the last one first; a torn one at the end is left out."""
    try:
        data = path.read_bytes()
    except OSError:
        return
    whole, _, _ = data.rpartition(b"\n")
    yield from (line for line in reversed(whole.split(b"\n")) if line)


def _date(now: Now) -> str:
    if now.clock is ClockTrust.NONE:
        return "undated"
    return local_datetime(now.wall).date().isoformat()


# The stick. Everything below is relative to an opened directory, so a link put in its place changes nothing.


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def _free_bytes(folder: int) -> int:
    status = os.fstatvfs(folder)
    return status.f_bavail * status.f_frsize


def _free_name(folder: int, device: str, date: str) -> str | None:
    for number in range(1, FILES_A_DAY_MAX + 1):
        name = f"{device}-{date}{f'-{number}' if number > 1 else ''}{SEALED_SUFFIX}"
        try:
            os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return name
    return None


def _write_whole(folder: int, name: str, pieces: Iterable[bytes]) -> int:
    """Under a temporary name until it is whole and durable: what looks like a log is one."""
    temporary = f".{name}.part"
    with suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o644, dir_fd=folder)
    written = 0
    try:
        try:
            for piece in pieces:
                written += _write_all(handle, piece)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    # Some filesystems of sticks cannot sync a directory.
    with suppress(OSError):
        os.fsync(folder)
    return written


def _write_all(handle: int, piece: bytes) -> int:
    left = memoryview(piece)
    while left:
        left = left[os.write(handle, left) :]
    return len(piece)
