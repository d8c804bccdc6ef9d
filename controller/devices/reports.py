"""Writes batches of reports: one transaction for many, each report taken in once however often it comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from sqlalchemy import Executable, Table, bindparam, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.devices.clone import CloneSign
from controller.devices.domain import Known, furthest
from controller.devices.identity import suspect
from controller.store.schema import as_run, devices, faults, refusals, standings
from protocol import codec
from protocol.clock import WallMs
from protocol.limits import CLOCK_SKEW_MS_MAX
from protocol.report import AsRun, Fault, Receipt, Standing, Status

Key = tuple[str, str, str]


@dataclass(slots=True)
class Batch:
    """Reports that go into one transaction.

    Attributes:
        statuses: the newest of each device, with the time when it came.
        links: whether a device's link went up or down.
        reconcile: devices whose stored faults are compared with those their status names.
        clones: why a second box is thought to use a device's identity, and when that was seen.
        confirm: marks of the reports of each device that it need not keep once this is stored.
    """

    receipts: list[tuple[Receipt, WallMs]] = field(default_factory=list)
    runs: list[AsRun] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    statuses: dict[str, tuple[Status, WallMs]] = field(default_factory=dict)
    links: dict[str, bool] = field(default_factory=dict)
    reconcile: set[str] = field(default_factory=set)
    clones: dict[str, tuple[CloneSign, WallMs]] = field(default_factory=dict)
    confirm: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0

    def __bool__(self) -> bool:
        return self.count > 0


async def write(connection: AsyncConnection, batch: Batch) -> set[Key]:
    """Stores the batch; gives the (device, document, item) keys whose standing changed."""
    changed = await _write_receipts(connection, batch.receipts)
    await _write_runs(connection, batch.runs)
    await _write_faults(connection, batch.faults)
    await _write_states(connection, batch)
    for device, (sign, at) in batch.clones.items():
        await suspect(connection, device, sign, now=at)
    return changed


def _key(receipt: Receipt) -> Key:
    return receipt.device, receipt.document, receipt.item or ""


async def _write_receipts(connection: AsyncConnection, received: Sequence[tuple[Receipt, WallMs]]) -> set[Key]:
    if not received:
        return set()
    by_key: dict[Key, list[Receipt]] = defaultdict(list)
    times: dict[int, WallMs] = {}
    for receipt, at in received:
        by_key[_key(receipt)].append(receipt)
        times[id(receipt)] = at
    known = await _known(connection, by_key)
    rows = []
    for key, receipts in by_key.items():
        kept = furthest(receipts, known.get(key))
        if kept is not None:
            rows.append(_standing_row(kept, times[id(kept)]))
    await _upsert(connection, standings, rows, keys=("device", "document", "item"))
    await _write_refusals(connection, received)
    return {(row["device"], row["document"], row["item"]) for row in rows}


_KNOWN: Final = select(
    standings.c.device, standings.c.document, standings.c.item, standings.c.standing, standings.c.wall_ms
).where(tuple_(standings.c.device, standings.c.document, standings.c.item).in_(bindparam("keys", expanding=True)))


async def _known(connection: AsyncConnection, keys: Iterable[Key]) -> dict[Key, Known]:
    rows = await connection.execute(_KNOWN, {"keys": list(keys)})
    return {(device, document, item): Known(Standing(name), wall) for device, document, item, name, wall in rows}


def _standing_row(receipt: Receipt, received: WallMs) -> dict[str, Any]:
    return {
        "device": receipt.device,
        "document": receipt.document,
        "item": receipt.item or "",
        "kind": receipt.kind[:64],
        "standing": receipt.standing.value,
        "refusal": receipt.refusal.value if receipt.refusal else None,
        "detail": receipt.detail,
        "wall_ms": receipt.wall,
        "received_ms": received,
    }


async def _write_refusals(connection: AsyncConnection, received: Sequence[tuple[Receipt, WallMs]]) -> None:
    rows = {}
    for receipt, at in received:
        if receipt.standing is Standing.REFUSED:
            name = receipt.refusal.value if receipt.refusal else ""
            rows[receipt.device, receipt.document, receipt.wall] = {
                "device": receipt.device,
                "document": receipt.document,
                "kind": receipt.kind,
                "refusal": name,
                "detail": receipt.detail,
                "wall_ms": receipt.wall,
                "received_ms": at,
            }
    if not rows:
        return
    columns = refusals.c
    asked = select(columns.device, columns.document, columns.wall_ms)
    stored = await connection.execute(
        asked.where(tuple_(columns.device, columns.document, columns.wall_ms).in_(list(rows)))
    )
    for device, document, wall in stored:
        rows.pop((device, document, wall), None)
    if rows:
        await connection.execute(insert(refusals), list(rows.values()))


async def _write_runs(connection: AsyncConnection, runs: Sequence[AsRun]) -> None:
    rows = [
        {
            "id": run.id,
            "device": run.device,
            "rung": run.rung,
            "source": run.source,
            "began_ms": run.began,
            "ended_ms": run.ended,
            "end_reason": run.end_reason.value,
            "level_cdb": run.level_cdb,
            "output_level_cdb": run.output_level_cdb,
            "document": run.document,
            "item": run.item,
            "start_ms": run.start,
            "lost_ms": run.lost_ms,
            "stopped_by": run.stopped_by,
        }
        for run in runs
    ]
    await _upsert(connection, as_run, rows, keys=("id", "device"), change=False)


async def _write_faults(connection: AsyncConnection, reported: Sequence[Fault]) -> None:
    rows = [
        {
            "device": one.device,
            "code": one.code.value,
            "began_ms": one.began,
            "detail": one.detail,
            "ended_ms": one.ended,
        }
        for one in reported
    ]
    keys = ("device", "code", "began_ms")
    await _upsert(connection, faults, [row for row in rows if row["ended_ms"] is None], keys=keys, change=False)
    await _upsert(connection, faults, [row for row in rows if row["ended_ms"] is not None], keys=keys)


async def _write_states(connection: AsyncConnection, batch: Batch) -> None:
    rows = [
        {
            "at_device": device,
            "status_json": codec.encode(replace(status, levels=())).decode(),
            "seen_ms": at,
            "online": batch.links.get(device, True),
        }
        for device, (status, at) in batch.statuses.items()
    ]
    chosen = update(devices).where(devices.c.id == bindparam("at_device"))
    if rows:
        await connection.execute(chosen, rows)
    others = batch.links.keys() - batch.statuses.keys()
    if others:
        await connection.execute(chosen, [{"at_device": one, "online": batch.links[one]} for one in sorted(others)])
    for device in batch.reconcile & batch.statuses.keys():
        status, at = batch.statuses[device]
        await _end_gone_faults(connection, status, now=at)


async def _end_gone_faults(connection: AsyncConnection, status: Status, *, now: WallMs) -> None:
    """Ends faults that the status does not name any more: word of their end was lost, by a power cut for instance.

    One that began after the status may be news; one that begins ahead of us was dated by a clock that was wrong.
    """
    columns = faults.c
    gone = (
        (columns.device == status.device)
        & columns.ended_ms.is_(None)
        & ((columns.began_ms < status.wall) | (columns.began_ms > now + CLOCK_SKEW_MS_MAX))
        & columns.code.not_in([code.value for code in status.faults])
    )
    await connection.execute(update(faults).where(gone).values(ended_ms=status.wall))


async def _upsert(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str],
    change: bool = True,
) -> None:
    """Inserts; a row whose key is there is changed, or left as it is."""
    if not rows:
        return
    others = tuple(name for name in rows[0] if name not in keys) if change else ()
    await connection.execute(_insertion(connection.dialect.name, table, tuple(keys), others), list(rows))


@cache
def _insertion(dialect: str, table: Table, keys: tuple[str, ...], others: tuple[str, ...]) -> Executable:
    """Made once: to put it together costs more than to carry it out."""
    made = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    statement: Executable = made.on_conflict_do_nothing(index_elements=keys)
    if others:
        changes = {name: made.excluded[name] for name in others}
        statement = made.on_conflict_do_update(index_elements=keys, set_=changes)
    return statement
