"""Opens a log that a device sealed onto a stick: proven piece by piece, bounded, and sorted into plain files.

Anybody can seal to a public key, so what a log says is a claim: nothing in it becomes a path or a command. There is
one file of JSON lines for each kind of entry, under names that are fixed here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol.errors import DocumentError, Refusal
from protocol.sealed import LogKey, read_label, unseal
from protocol.stick import LOG_BYTES_MAX, LOG_LINE_BYTES_MAX
from protocol.topics import device_id
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.stick_files import opened

_FILE_OF: Final = {
    "log": "device",
    "status": "device",
    "versions": "device",
    "report": "reports",
    "journal": "journal",
}
"""Which entries go into which file; all others into `other`."""
_FILES: Final = ("device", "reports", "journal", "other")


@dataclass(frozen=True, slots=True)
class OpenedLog:
    """What came out.

    Attributes:
        device: by the log's own word.
        entries: how many went into each file.
    """

    device: str
    entries: dict[str, int]


def open_log(path: Path, key: LogKey, out: Path) -> OpenedLog:
    """Writes the entries to new files in `out`; all of the log or nothing.

    Raises:
        ProvisioningError: no sealed log, another key, changed, cut off, too large; or `out` holds one already.
    """
    try:
        with opened(path.resolve()) as file:
            device = _device(read_label(file.read))
            file.seek(0)
            return OpenedLog(device, _sorted(_lines(unseal(file.read, key)), out))
    except DocumentError as error:
        words = _("%(path)s cannot be opened: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error.detail}) from error
    except FileExistsError as error:
        words = _("%(path)s holds an opened log already. Choose another directory.")
        raise ProvisioningError(words % {"path": out}) from error


def _device(label: bytes) -> str:
    try:
        return device_id(str(json.loads(label)["device"]))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "its label names no device") from error


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting, total = b"", 0
    for piece in pieces:
        total += len(piece)
        *whole, waiting = (waiting + piece).split(b"\n")
        if total > LOG_BYTES_MAX or len(waiting) > LOG_LINE_BYTES_MAX:
            raise DocumentError(Refusal.TOO_LARGE, "it is larger than a log may be")
        yield from (line for line in whole if line)
    if waiting:
        yield waiting


def _sorted(lines: Iterable[bytes], out: Path) -> dict[str, int]:
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    counts: Counter[str] = Counter()
    made: list[Path] = []
    with ExitStack() as stack:
        stack.callback(_remove, made)
        files = {}
        for name in _FILES:
            path = out / f"{name}.jsonl"
            files[name] = stack.enter_context(path.open("xb"))
            made.append(path)
        for line in lines:
            name = _FILE_OF.get(_kind(line), "other")
            counts[name] += 1
            files[name].write(line + b"\n")
        made.clear()
    return dict(counts)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink()


def _kind(line: bytes) -> str:
    try:
        entry = json.loads(line)
        return str(entry[0])
    except (ValueError, LookupError, TypeError, RecursionError):
        return "?"
