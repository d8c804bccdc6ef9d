"""Makes the exact bytes that an operator signs: a schedule, an audible configuration, or stop-now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from controller.bulletins.timing import LEAD_MS, LEAD_MS_MIN
from controller.schedules.queries import Tree, load_tree
from controller.schedules.reach import reach
from controller.signing.counters import counter, next_sequence
from controller.signing.next_schedule import ScheduleTooLargeError, next_schedule
from controller.signing.queries import in_force
from controller.signing.told import ToldVersions, following
from controller.web.explained import N_, Explained
from protocol import codec
from protocol.alert import Stop
from protocol.audible_config import AudibleConfig
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.errors import DocumentError
from protocol.limits import ALERT_LIFETIME_MS_MAX, ITEMS_MAX, TARGETS_MAX
from protocol.units import UnitPath, covers

LEAD_MS_MAX: Final = 600_000
STOP_MS: Final = 15 * 60_000
STOP_MS_MAX: Final = DAY_MS


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """What the signer is handed.

    Attributes:
        summary: for the page and for programs; the signer reads the payload itself and believes none of this.
    """

    kind: Kind
    unit: UnitPath
    payload: bytes
    summary: dict[str, Any]


async def make_request(
    connection: AsyncConnection,
    unit: UnitPath,
    *,
    kind: Kind,
    fields: Mapping[str, Any],
    now: WallMs,
    told: ToldVersions,
) -> SigningRequest:
    """Makes the request.

    Args:
        told: what devices say they obey.

    Raises:
        Explained: the fields are wrong, or the kind is not made here.
    """
    tree = await load_tree(connection, now)
    if unit not in tree.names:
        raise Explained(N_("There is no such unit."), status=404, code="not_found")
    if kind is Kind.SCHEDULE:
        return await _schedule(connection, unit, fields, now, tree, told)
    if kind is Kind.AUDIBLE_CONFIG:
        return await _audible_config(connection, unit, fields, now, tree, told)
    if kind is Kind.STOP:
        return await _stop(connection, unit, fields, now, tree)
    text = N_("Say what should be signed: schedule, audible-config or stop.")
    raise Explained(text, status=400, code="malformed")


async def _schedule(
    connection: AsyncConnection,
    unit: UnitPath,
    fields: Mapping[str, Any],
    now: WallMs,
    tree: Tree,
    told: ToldVersions,
) -> SigningRequest:
    lead_ms = _whole(fields.get("lead_s"), LEAD_MS // 1000) * 1000
    lead_ms = min(max(lead_ms, LEAD_MS_MIN), LEAD_MS_MAX)
    made = await next_schedule(connection, unit, now=now, lead_ms=lead_ms, tree=tree, told=told)
    try:
        payload = made.payload
    except ScheduleTooLargeError as error:
        text = N_("This unit has more bulletins than one schedule holds (%(most)d). Withdraw some, then sign.")
        raise Explained(text, status=409, code="too_many", most=ITEMS_MAX) from error
    targets = {target for item in made.schedule.items for target in item.targets}
    summary = asdict(made.changes) | {
        "version": made.schedule.version,
        "items": len(made.schedule.items),
        **_reached(targets, tree),
    }
    return SigningRequest(Kind.SCHEDULE, unit, payload, summary)


def _reached(targets: set[UnitPath], tree: Tree) -> dict[str, Any]:
    reached = reach(targets, tree.devices, tree.population)
    return {"loudspeakers": reached.loudspeakers, "people": reached.people}


async def _audible_config(
    connection: AsyncConnection,
    unit: UnitPath,
    fields: Mapping[str, Any],
    now: WallMs,
    tree: Tree,
    told: ToldVersions,
) -> SigningRequest:
    former = await in_force(connection, unit, Kind.AUDIBLE_CONFIG)
    last = former.version if former is not None and former.version is not None else 0
    stored = max(await counter(connection, unit, Kind.AUDIBLE_CONFIG), last)
    version = following(stored, told.get((unit, Kind.AUDIBLE_CONFIG), 0))
    given = fields.get("config")
    if not isinstance(given, Mapping):
        raise Explained(N_("The configuration is missing."), status=400, code="malformed")
    try:
        config = codec.build(AudibleConfig, {**given, "scope": unit, "version": version, "issued": now})
    except DocumentError as error:
        text = N_("The configuration has a wrong value (%(detail)s). Correct it and try again.")
        raise Explained(text, status=422, code="wrong_value", detail=error.detail) from error
    summary = {"version": version, **_reached({unit}, tree)}
    return SigningRequest(Kind.AUDIBLE_CONFIG, unit, codec.encode(config), summary)


async def _stop(
    connection: AsyncConnection, unit: UnitPath, fields: Mapping[str, Any], now: WallMs, tree: Tree
) -> SigningRequest:
    until = WallMs(_whole(fields.get("until_ms"), now + STOP_MS))
    if not now < until <= now + STOP_MS_MAX:
        text = N_("Choose until when it stays silent: later than now, and at most one day.")
        raise Explained(text, status=422, code="wrong_value")
    targets = _targets(fields.get("targets"), unit, tree)
    stop = Stop(
        scope=unit,
        sequence=await next_sequence(connection, unit, now=now),
        issued=now,
        expires=WallMs(now + ALERT_LIFETIME_MS_MAX),
        until=until,
        targets=targets,
    )
    return SigningRequest(Kind.STOP, unit, codec.encode(stop), {"until_ms": until, **_reached(set(targets), tree)})


def _targets(given: object, unit: UnitPath, tree: Tree) -> tuple[UnitPath, ...]:
    if not given:
        return (unit,)
    targets = tuple(sorted({UnitPath(str(one)) for one in given})) if isinstance(given, list | tuple) else ()
    inside = all(target in tree.names and covers(unit, target) for target in targets)
    if not targets or len(targets) > TARGETS_MAX or not inside:
        text = N_("Choose places of the unit that speaks.")
        raise Explained(text, status=422, code="target_out_of_scope")
    return targets


def _whole(value: object, usual: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else usual
