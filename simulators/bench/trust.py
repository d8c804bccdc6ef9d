"""Figure `trust`: what it costs a device to know who speaks, and what the root's child costs.

Our side: an emergency verified with a chain that is held, and from nothing (four grants, seven signatures), each
unpacked from its bytes; the bytes of grants that one device holds in fleets of 775 to 90,000 communes; memory and
life of the TUF child that fetches anchor, word and a small piece of software over HTTP.

The peer, in the same run: `tuf.ngclient` fetching the same commune's schedule as a target, cold. Keys of each commune
are what grants give, so TUF needs a delegated role for each: one `targets` that delegates by exact path, in order,
and a snapshot that names every role's version. All are made in memory and fetched from memory; python-tuf's limit on
the size of metadata is lifted for the large fleet. 90,000 communes are left out: that takes minutes and half a GB.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from protocol import codec
from protocol.alert import Alert, Part
from protocol.authority import authorise
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign, unpack
from protocol.grants import ANCHOR_ID, Anchor, Grant, HeldGrant, accept_grant, as_grant
from protocol.keys import SigningKey
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath, covers
from protocol.verbs import Verb
from simulators.bench.trust_peer import TufFleet, child_figures

FLEETS: Final = (775, 10_600, 90_000)
PEER_FLEETS: Final = (775, 10_600)
_ROUNDS: Final = 200
_PEER_ROUNDS: Final = 3
_ITEMS: Final = 20
_NOW: Final = WallMs(1_900_000_000_000)
_PROVINCE: Final = UnitPath("vn/92")
_COMMUNE: Final = UnitPath("vn/92/10000")
_VERBS: Final = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.ALERT, Verb.STOP)
_CHAIN: Final = ((_PROVINCE, 2), (_PROVINCE, 1), (_COMMUNE, 1), (_COMMUNE, 1))
"""Scope and threshold of each grant; the anchor asks for two signatures, so with the document's they are seven."""

Figures = dict[str, float]


def _key(name: str) -> SigningKey:
    return SigningKey.from_seed(name.encode().ljust(32, b"."))


class Office:
    """A province's chain down to one commune's operator, and what the operator signs."""

    def __init__(self) -> None:
        above: tuple[SigningKey, ...] = (_key("anchor-1"), _key("anchor-2"))
        self.anchor = Anchor(_PROVINCE, tuple(one.public for one in above), 2, (_key("freshness").public,))
        self.grants: list[Envelope] = []
        parent = ANCHOR_ID
        for index, (scope, threshold) in enumerate(_CHAIN):
            keys = tuple(_key(f"g{index}-{number}") for number in range(threshold))
            self.grants.append(_grant(scope, index, keys=keys, parent=parent, signers=above))
            above, parent = keys, self.grants[-1].digest
        self._operator = above
        parts = (Part("vi", "Nước lên nhanh, mời bà con rời khỏi bờ sông ngay."),)
        ends = WallMs(_NOW + 600_000)
        self.alert = self._sign(Kind.ALERT, Alert(_COMMUNE, "a-1", 1, _NOW, ends, 4, (_COMMUNE,), parts))
        ends = WallMs(_NOW + 30 * DAY_MS)
        items = tuple(_item(number) for number in range(_ITEMS))
        self.schedule = self._sign(Kind.SCHEDULE, Schedule(_COMMUNE, 1, _NOW, ends, items))

    def _sign(self, kind: Kind, document: object) -> bytes:
        return sign(kind, codec.encode(document), self._operator).pack()


def _grant(
    scope: UnitPath, index: int, *, keys: tuple[SigningKey, ...], parent: str, signers: tuple[SigningKey, ...]
) -> Envelope:
    last = index == len(_CHAIN) - 1
    made = Grant(
        scope=scope,
        holder="Đài truyền thanh xã Long Phú",
        verbs=_VERBS if last else (*_VERBS, Verb.GRANT),
        keys=tuple(one.public for one in keys),
        threshold=len(keys),
        depth=len(_CHAIN) - 1 - index,
        not_before=WallMs(_NOW - DAY_MS),
        expires=WallMs(_NOW + 60 * DAY_MS),
        epoch=0,
        serial=1,
        parent=parent,
    )
    return sign(Kind.GRANT, codec.encode(made), signers)


def _item(number: int) -> Item:
    media = MediaRef(f"{number:064x}", 400_000, 60_000)
    when = Explicit((WallMs(_NOW + (number + 1) * 3_600_000),))
    return Item(f"i-{number}", f"Bản tin số {number}", BulletinClass.ORDINARY, Programme(media), when, (_COMMUNE,))


def _chain(office: Office) -> dict[str, HeldGrant]:
    held: dict[str, HeldGrant] = {}
    for data in office.grants:
        made = accept_grant(unpack(data.pack()), office.anchor, held)
        held[made.digest] = made
    return held


def _judge(office: Office, data: bytes, held: dict[str, HeldGrant]) -> None:
    authorise(unpack(data), anchor=office.anchor, grants=held, wall=_NOW, denied={})


def _cold(office: Office, data: bytes) -> None:
    as_grant.cache_clear()
    _judge(office, data, _chain(office))


def _median_us(work: Callable[[], object], *, rounds: int = _ROUNDS) -> float:
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return round(median(spent) * 1e6, 1)


def fleet(count: int) -> Iterator[UnitPath]:
    """So many communes."""
    return (UnitPath(f"vn/92/{10_000 + number}") for number in range(count))


def _grants_bytes(office: Office, count: int) -> int:
    """What a device of one commune keeps when each of so many has its own operator below the province."""
    place = UnitPath(f"{_COMMUNE}/c07")
    kept = [scope for scope in (_PROVINCE, _PROVINCE, _COMMUNE, *fleet(count)) if covers(scope, place)]
    packed = [len(grant.pack()) for (scope, _), grant in zip(_CHAIN, office.grants, strict=True) if scope in kept]
    assert len(packed) == len(kept), "every scope that covers the device has its grant"
    return sum(packed)


def measure() -> Figures:
    """All figures; about half a minute."""
    office = Office()
    held = _chain(office)
    figures: Figures = {
        "cached_us": _median_us(lambda: _judge(office, office.alert, held)),
        "cold_us": _median_us(lambda: _cold(office, office.alert)),
        "envelope_bytes": len(office.alert),
        "schedule_cold_us": _median_us(lambda: _cold(office, office.schedule)),
        "schedule_bytes": len(office.schedule),
    }
    figures |= {f"grants_bytes_{count}": _grants_bytes(office, count) for count in FLEETS}
    figures |= child_figures()
    for count in PEER_FLEETS:
        peer = TufFleet(fleet(count), _COMMUNE, office.schedule)
        spent_us = _median_us(peer.fetch_cold, rounds=_PEER_ROUNDS)
        figures |= {f"tuf_schedule_us_{count}": spent_us, f"tuf_bytes_{count}": peer.fetched_bytes}
        figures[f"tuf_times_slower_{count}"] = round(spent_us / figures["schedule_cold_us"], 1)
    return figures


def main(argv: list[str]) -> int:
    """Prints the figure."""
    parser = argparse.ArgumentParser(prog="trust", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one flat object on the last line")
    parser.add_argument("--peers", action="store_true", help="python-tuf is always measured beside us")
    options = parser.parse_args(argv)
    figures = measure()
    for name, value in figures.items():
        print(f"{name:>26}  {value:g}")
    if options.json:
        print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
