"""What the agents of a crowd kept, sent and forgot, written down by themselves where a kill cannot take it back.

A line of the ledger goes to the operating system in one write, so it is there whatever kills the process after it.
The outbox that writes it is the real one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge.adapters.outbox import SqliteOutbox
from edge.disk import Disk
from edge.ports import Link
from edge.reporter import Confirmations, KeptLetter, Letter, Reporter
from protocol import codec
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import AsRun, Fault, Receipt, Report, report_mark
from protocol.topics import up_of_topic

_KEPT, _TAKEN, _FORGOTTEN = b"kept", b"taken", b"forgotten"
_LETTERS_MAX: Final = 1000
_AGAIN_S: Final = (1.0, 8.0)


class Ledger:
    """The file of one device, opened for appending."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def kept(self, letter: Letter) -> None:
        """The outbox has it."""
        os.write(self._handle, b"\t".join((_KEPT, letter.topic.encode(), letter.payload)) + b"\n")

    def taken(self, payload: bytes) -> None:
        """The broker has acknowledged it."""
        os.write(self._handle, b"\t".join((_TAKEN, report_mark(payload).encode())) + b"\n")

    def forgotten(self, payload: bytes) -> None:
        """The device is about to forget it, because it was told that it is stored."""
        os.write(self._handle, b"\t".join((_FORGOTTEN, report_mark(payload).encode())) + b"\n")


class LedgerOutbox(SqliteOutbox):
    """The outbox of a device, with a ledger beside it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.ledger = Ledger(path.with_name("ledger"))

    def append(self, letters: Sequence[Letter]) -> None:
        """See `SqliteOutbox`."""
        super().append(letters)
        for letter in letters:
            self.ledger.kept(letter)

    def delete(self, ids: Sequence[int]) -> None:
        """See `SqliteOutbox`."""
        wanted = frozenset(ids)
        for one in self.oldest(_LETTERS_MAX):
            if one.id in wanted:
                self.ledger.forgotten(one.letter.payload)
        super().delete(ids)


class LedgerReporter(Reporter):
    """The reporter of a device, which writes down what the broker acknowledged.

    It insists soon: in the field nobody is killed every second.

    Attributes:
        believes_broker: whether the broker's word is enough, as it was before there were confirmations.
    """

    believes_broker = False

    def __init__(
        self, device: str, link: Link, *, outbox: LedgerOutbox, disk: Disk, confirmations: Confirmations
    ) -> None:
        word = None if self.believes_broker else confirmations
        super().__init__(device, link, outbox=outbox, disk=disk, confirmations=word, again_s=_AGAIN_S)
        self._ledger = outbox.ledger

    async def _send(self, kept: KeptLetter) -> None:
        await super()._send(kept)
        self._ledger.taken(kept.letter.payload)


@dataclass(slots=True)
class Account:
    """What a device's ledger says.

    Attributes:
        kept: reports by mark.
        taken: how often the broker acknowledged each; forgotten: what the device no longer keeps.
    """

    kept: dict[str, Report] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)

    def received(self) -> frozenset[str]:
        """Documents of which the device has said that it has them."""
        receipts = (one for one in self.kept.values() if isinstance(one, Receipt))
        return frozenset(one.document for one in receipts if one.refusal is None)


def read_ledger(path: Path) -> Account:
    """Everything so far; a device that never reported has none."""
    account = Account()
    for line in path.read_bytes().split(b"\n")[:-1] if path.exists() else ():
        kind, *words = line.split(b"\t", 2)
        if kind == _KEPT:
            named = up_of_topic(words[0].decode())
            assert named is not None and named[1] in (Receipt, AsRun, Fault), "an outbox holds reports"
            account.kept[report_mark(words[1])] = codec.decode(named[1], words[1], bytes_max=REPORT_BYTES_MAX)
        elif kind == _TAKEN:
            mark = words[0].decode()
            account.taken[mark] = account.taken.get(mark, 0) + 1
        else:
            account.forgotten.add(words[0].decode())
    return account
