"""What was acknowledged, by whom, and whether it is there: looked up in the files that killed processes left.

Nothing here asks a process. The controller's database is opened read-only; a device's store is loaded, as its next
start would load it, from a copy.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from edge.adapters.state_store import SqliteStateStore
from edge.core.registers import REGISTERS_BYTES_MAX, REGISTERS_VALUES_MAX, Registers
from edge.ports import Stored
from protocol import codec
from protocol.envelope import unpack
from protocol.report import AsRun, Fault, Receipt, Report, Standing, Status
from simulators.crash.ledger import read_ledger

_FILES: Final = ("state.db", "state.db-wal", "documents")


@dataclass(slots=True)
class Findings:
    """Attributes: lost: acknowledged and not there; corrupt: what was not whole. Each once, in a few words."""

    lost: set[str] = field(default_factory=set)
    corrupt: set[str] = field(default_factory=set)


@contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection]:
    """The controller's database, while it runs or after it was killed."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        yield connection


def check_controller(database: Path, documents: Iterable[str], findings: Findings) -> None:
    """Documents that the controller acknowledged to their signer are there, and the file is whole."""
    with reading(database) as connection:
        told = connection.execute("PRAGMA integrity_check(3)").fetchall()
        if told != [("ok",)]:
            findings.corrupt.add(f"the controller's database: {told}")
        held = {digest for (digest,) in connection.execute("SELECT digest FROM documents")}
    findings.lost |= {f"the controller has forgotten document {one[:12]}" for one in documents if one not in held}


def check_device(
    data: Path, *, versions: dict[str, tuple[str, int]], over: frozenset[str], findings: Findings
) -> None:
    """What a device has said that it had received, is in the store that its next start loads.

    Args:
        versions: key under which a document is held, and its version, by its digest; of those that have versions.
        over: emergencies whose time is over: a device remembers only the last of those.
    """
    received, found = read_ledger(data / "ledger").received(), load_copy(data)
    if found.damaged:
        findings.corrupt.add(f"the state of {data.parent.name}")
    held = {unpack(one).digest for one in found.envelopes}
    newest: dict[str, int] = {}
    for key, version in (versions[one] for one in held if one in versions):
        newest[key] = max(version, newest.get(key, -1))
    obeyed = _obeyed(found)
    for digest in received - held - obeyed - over:
        if digest in versions and newest.get(versions[digest][0], -1) >= versions[digest][1]:
            continue  # a newer one took its place
        findings.lost.add(f"{data.parent.name} has forgotten document {digest[:12]}")


def load_copy(data: Path) -> Stored:
    """What the next start will load, without touching it."""
    with tempfile.TemporaryDirectory(prefix="loalang-copy-") as directory:
        copy = Path(directory)
        for name in _FILES:
            source = data / name
            if source.is_dir():
                shutil.copytree(source, copy / name)
            elif source.exists():
                shutil.copy(source, copy / name)
        with closing(SqliteStateStore(copy, ballast_bytes=0)) as store:
            return store.load()


def _obeyed(found: Stored) -> frozenset[str]:
    if found.registers is None:
        return frozenset()
    read = codec.decode(Registers, found.registers, bytes_max=REGISTERS_BYTES_MAX, values_max=REGISTERS_VALUES_MAX)
    return frozenset(read.obeyed)


class Archive:
    """Reports that the controller has stored."""

    def __init__(self, database: Path) -> None:
        with reading(database) as connection:
            self._runs = _set(connection, "SELECT device, id FROM as_run")
            self._faults = _set(connection, "SELECT device, code, began_ms FROM faults")
            self._standings = _set(connection, "SELECT device, document, item FROM standings")
            self._received = _set(connection, "SELECT device, document FROM standings")
            self._refusals = _set(connection, "SELECT device, document, wall_ms FROM refusals")

    def holds(self, report: Report) -> bool:
        """Whether this one is there, or what it said."""
        match report:
            case AsRun():
                return (report.device, report.id) in self._runs
            case Fault():
                return (report.device, report.code.value, report.began) in self._faults
            case Receipt(standing=Standing.REFUSED):
                return (report.device, report.document, report.wall) in self._refusals
            case Receipt():
                return (report.device, report.document, report.item or "") in self._standings
            case Status():
                raise AssertionError("a status is not kept")

    def has_heard(self, device: str, document: str) -> bool:
        """Whether the device's word about this document is there."""
        return (device, document) in self._received


def _set(connection: sqlite3.Connection, query: str) -> frozenset[tuple[Any, ...]]:
    return frozenset(map(tuple, connection.execute(query)))
