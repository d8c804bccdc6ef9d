"""Checks a saved log without any controller: is it one chain, and does it still hold what was signed for it before?

Whoever keeps checkpoints on a machine of their own (an auditor, a journalist, the commune) finds out here that the
log was rewritten, whatever the controller shows by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol import codec
from protocol.checkpoint import Checkpoint, read_checkpoint
from protocol.clock import WallMs
from protocol.envelope import unpack
from protocol.errors import DocumentError
from protocol.grants import Anchor
from protocol.hash_chain import EMPTY, BrokenChainError, ChainState, LogEntry, follow
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _

_LINE_BYTES_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class CheckedLog:
    """A log that is what was signed.

    Attributes:
        signed: entries that stand under a checkpoint.
        newest: when the newest entry was stored; None for an empty log.
    """

    state: ChainState
    signed: int
    newest: WallMs | None


def check_log(log: Path, checkpoints: Iterable[Path], anchor: Anchor) -> CheckedLog:
    """Follows a log from its first line and compares it with every checkpoint.

    Args:
        log: an entry on each line, as the controller's page saves it.

    Raises:
        ProvisioningError: it was altered, shortened or replaced, or a file is not what it should be.
    """
    promised = [(path, _checkpoint(path, anchor)) for path in checkpoints]
    met: dict[int, ChainState] = {}
    state, newest, wanted = EMPTY, None, {one.size for _path, one in promised}
    for entry in _entries(log):
        try:
            state = follow(state, (entry,))
        except BrokenChainError as error:
            words = _("Entry %(index)d does not fit: the log was altered there or before it.")
            raise ProvisioningError(words % {"index": error.index}) from error
        newest = entry.stored
        if state.size in wanted:
            met[state.size] = state
    for path, one in promised:
        _compare(path, one, met.get(one.size), size=state.size)
    return CheckedLog(state, max(wanted, default=0), newest)


def _compare(path: Path, promised: Checkpoint, met: ChainState | None, *, size: int) -> None:
    if met is None:
        words = _("%(path)s was signed for %(promised)d entries, but the log has only %(size)d: entries are gone.")
        raise ProvisioningError(words % {"path": path, "promised": promised.size, "size": size})
    if met != promised.state:
        words = _("%(path)s was signed for another log: the first %(promised)d entries are not those of then.")
        raise ProvisioningError(words % {"path": path, "promised": promised.size})


def _entries(log: Path) -> Iterator[LogEntry]:
    with log.open("rb") as lines:
        for number, line in enumerate(iter(lambda: lines.readline(_LINE_BYTES_MAX), b""), start=1):
            try:
                yield codec.decode(LogEntry, line, bytes_max=_LINE_BYTES_MAX)
            except DocumentError as error:
                words = _("Line %(number)d is not an entry of a log: %(why)s")
                raise ProvisioningError(words % {"number": number, "why": error.detail}) from error


def _checkpoint(path: Path, anchor: Anchor) -> Checkpoint:
    with path.open("rb") as file:
        packed = file.read(ALERT_ENVELOPE_BYTES_MAX + 1)
    try:
        return read_checkpoint(unpack(packed), anchor.freshness_keys)
    except DocumentError as error:
        words = _("%(path)s is not a checkpoint that this anchor's controller signed: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error}) from error
