"""Grants below grants, denials and words on places: what is accepted, what parcels carry, what heads name."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from controller.devices.queries import device_named
from controller.keys import CLOCK, ENGINE
from controller.signing.keys import AUTHORITY, DISTRIBUTION
from controller.signing.outgoing import newest_versions
from controller.signing.parcels import GRANTS_IN_UNIT_MAX
from controller.store.engine import reading
from controller.store.schema import documents
from protocol import codec
from protocol.assignment import Placement
from protocol.clock import DAY_MS, WallMs
from protocol.denial import grantor_id
from protocol.document import Kind, kind_of
from protocol.envelope import Envelope, sign
from protocol.keys import SigningKey
from protocol.parcel import unpack_all
from protocol.schedule import Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE
from tests.controller.signing.authorities import post
from tests.controller.signing.chain import OFFICE, Chain
from tests.controller.signing.conftest import Stage

pytestmark = pytest.mark.slow


@pytest.fixture
async def chain(stage: Stage) -> Chain:
    made = Chain(stage.running.app[CLOCK]())
    results = await post(stage.stranger, *made.whole())
    assert {one["state"] for one in results} == {"accepted"}, results
    return made


async def answer(stage: Stage, *envelopes: Envelope) -> list[tuple[str, str | None]]:
    return [(one["state"], one["refusal"]) for one in await post(stage.stranger, *envelopes)]


async def parcel(stage: Stage, unit: UnitPath) -> list[Envelope]:
    await stage.running.app[DISTRIBUTION].publish_waiting()
    return [*unpack_all(stage.running.app[DISTRIBUTION].shelf.parcels[unit].encode())]


def schedule(stage: Stage, key: SigningKey, version: int = 1) -> Envelope:
    now = stage.running.app[CLOCK]()
    made = Schedule(KE_SACH, version, now, WallMs(now + DAY_MS), ())
    return sign(Kind.SCHEDULE, codec.encode(made), [key])


async def test_operator_at_the_end_of_the_chain(stage: Stage, chain: Chain) -> None:
    assert await answer(stage, schedule(stage, chain.operator_key)) == [("accepted", None)]


async def test_grant_of_an_office_waits_for_the_second_person(stage: Stage, chain: Chain) -> None:
    office = chain.whole()[0]
    half = chain.station(office, holder="Đài khác", signers=1)
    assert await answer(stage, half) == [("partial", None)]
    assert await answer(stage, chain.station(office, holder="Đài khác")) == [("accepted", None)]


async def test_same_holder_of_another_grantor_is_another_office(stage: Stage, chain: Chain) -> None:
    """A commune's operator may be called as a station of the province is; neither replaces the other."""
    made = chain.operator(chain.whole()[1], holder="ke-sach")
    assert await answer(stage, made) == [("accepted", None)]


async def test_denial_ends_what_was_given(stage: Stage, chain: Chain) -> None:
    assert await answer(stage, schedule(stage, chain.operator_key)) == [("accepted", None)]
    assert await answer(stage, chain.denial(signers=1)) == [("partial", None)]
    assert await answer(stage, chain.denial()) == [("accepted", None)]
    assert await answer(stage, schedule(stage, chain.operator_key, 2)) == [("refused", "grant_denied")]
    office = chain.whole()[0]
    assert await answer(stage, chain.station(office, serial=2)) == [("refused", "grant_denied")]
    station = chain.station(office, serial=2, epoch=1)
    assert await answer(stage, station) == [("accepted", None)]
    assert await answer(stage, chain.operator(station, serial=2)) == [("accepted", None)]
    assert await answer(stage, schedule(stage, chain.operator_key, 2)) == [("accepted", None)]


async def test_word_does_not_fetch_a_device_from_where_it_does_not_reach(stage: Stage, chain: Chain) -> None:
    """The device would refuse it; here it would vanish from its own commune's pages."""
    ours = Placement("vn-92-31673-c01", UnitPath(f"{KE_SACH}/c99"))
    assert await answer(stage, chain.word(ours, scope=KE_SACH)) == [("refused", "out_of_scope")]
    async with reading(stage.running.app[ENGINE]) as connection:
        device = await device_named(connection, ours.device)
    assert device is not None and (device.place, device.former) == (f"{TRAN_DE}/c01", None)
    assert await answer(stage, chain.word(ours)) == [("accepted", None)]


async def test_denied_once_stays_denied_when_it_is_posted_again(stage: Stage, chain: Chain) -> None:
    office, station, operator = chain.whole()
    said = schedule(stage, chain.operator_key)
    assert await answer(stage, said) == [("accepted", None)]
    assert await answer(stage, chain.denial(), said, station, operator) == [
        ("accepted", None), *[("refused", "grant_denied")] * 3
    ]  # fmt: skip
    assert await answer(stage, office, chain.denial()) == [("accepted", None)] * 2
    again = chain.station(office, serial=2, epoch=1)
    assert await answer(stage, again, chain.operator(again, serial=2), said) == [("accepted", None)] * 3
    assert await answer(stage, station) == [("refused", "grant_denied")]


async def test_renewed_or_ended_is_known_and_no_refusal(stage: Stage, chain: Chain) -> None:
    office, station, _ = chain.whole()
    said = schedule(stage, chain.operator_key)
    assert await answer(stage, said, chain.station(office, serial=2)) == [("accepted", None)] * 2
    assert await answer(stage, said, station) == [("accepted", None)] * 2


async def test_deny_epoch_never_falls(stage: Stage, chain: Chain) -> None:
    assert await answer(stage, chain.denial(3)) == [("accepted", None)]
    assert await answer(stage, chain.denial(2)) == [("refused", "older_version")]
    async with reading(stage.running.app[ENGINE]) as connection:
        loaded = await stage.running.app[AUTHORITY].load(connection)
    assert loaded.denied == {grantor_id(PROVINCE, OFFICE): 3}


async def test_station_cannot_deny_for_the_province(stage: Stage, chain: Chain) -> None:
    forged = sign(Kind.DENIAL, chain.denial().payload, [chain.station_key])
    assert await answer(stage, forged) == [("refused", "out_of_scope")]


async def test_parcel_carries_what_matters_in_order(stage: Stage, chain: Chain) -> None:
    office, station, _ = chain.whole()
    renewed = chain.station(office, serial=2)
    assert await answer(stage, renewed) == [("accepted", None)]
    digests = [one.digest for one in await parcel(stage, KE_SACH)]
    # The former station still carries its operator.
    assert {station.digest, renewed.digest} <= {*digests}
    after = chain.operator(renewed, serial=2)
    assert await answer(stage, after) == [("accepted", None)]
    digests = [one.digest for one in await parcel(stage, KE_SACH)]
    assert station.digest not in digests
    assert digests.index(renewed.digest) < digests.index(after.digest)


async def test_denial_lies_behind_the_grants_and_in_heads(stage: Stage, chain: Chain) -> None:
    await answer(stage, chain.denial())
    kinds = [kind_of(one) for one in await parcel(stage, PROVINCE)]
    assert kinds == sorted(kinds, key=[Kind.GRANT, Kind.DENIAL, Kind.HEAD].index)
    assert kinds.count(Kind.DENIAL) == 1
    assert chain.whole()[1].digest not in [one.digest for one in await parcel(stage, KE_SACH)]
    async with reading(stage.running.app[ENGINE]) as connection:
        newest = await newest_versions(connection, KE_SACH)
    assert [(one.kind, one.version) for one in newest] == [(f"denial/{grantor_id(PROVINCE, OFFICE)}", 1)]


async def test_nothing_waits_for_ever(stage: Stage, chain: Chain) -> None:
    """A grant that was replaced before it was sent is in no parcel, and is not waited for."""
    office = chain.whole()[0]
    await answer(stage, chain.station(office, serial=2), chain.station(office, serial=3))
    await parcel(stage, KE_SACH)
    async with reading(stage.running.app[ENGINE]) as connection:
        waiting = select(documents.c.digest).where(documents.c.published_ms.is_(None))
        assert not [*await connection.scalars(waiting)]


async def test_too_many_authorities_of_one_unit(stage: Stage, chain: Chain) -> None:
    station = chain.whole()[1]
    states = []
    for begin in range(0, GRANTS_IN_UNIT_MAX, 10):
        made = [chain.operator(station, holder=f"Người {begin + number}") for number in range(10)]
        states += await answer(stage, *made)
    assert ("refused", "too_many") in states
    assert len(await parcel(stage, KE_SACH)) <= GRANTS_IN_UNIT_MAX + 3


# Words on places


def placed(number: int, unit: UnitPath = KE_SACH, former: str | None = None) -> Placement:
    place = UnitPath(f"{unit}/c{number:02}")
    return Placement(f"vn-92-31528-c{number:02}", place, UnitPath(former) if former else None)


async def test_word_moves_a_device(stage: Stage, chain: Chain) -> None:
    first = UnitPath(f"{KE_SACH}/c01")
    moved = placed(9, TRAN_DE, first)
    word = chain.word(Placement("vn-92-31528-c01", moved.place, first))
    assert await answer(stage, word) == [("accepted", None)]
    async with reading(stage.running.app[ENGINE]) as connection:
        device = await device_named(connection, "vn-92-31528-c01")
    assert device is not None and device.places == (moved.place, first)
    for place in device.places:
        assert [one.digest for one in await parcel(stage, place)] == [word.digest]


async def test_two_devices_change_places(stage: Stage, chain: Chain) -> None:
    one, two = UnitPath(f"{KE_SACH}/c01"), UnitPath(f"{KE_SACH}/c02")
    word = chain.word(Placement("vn-92-31528-c01", two, one), Placement("vn-92-31528-c02", one, two))
    assert await answer(stage, word) == [("accepted", None)]
    async with reading(stage.running.app[ENGINE]) as connection:
        device = await device_named(connection, "vn-92-31528-c02")
    assert device is not None and (device.place, device.former) == (one, two)


async def test_place_of_another_device(stage: Stage, chain: Chain) -> None:
    taken = UnitPath(f"{KE_SACH}/c02")
    word = chain.word(Placement("vn-92-31528-c01", taken, UnitPath(f"{KE_SACH}/c01")))
    assert await answer(stage, word) == [("refused", "malformed_document")]


async def test_older_word_changes_nothing(stage: Stage, chain: Chain) -> None:
    first = UnitPath(f"{KE_SACH}/c01")
    newer = chain.word(Placement("vn-92-31528-c01", UnitPath(f"{TRAN_DE}/c09"), first), later_ms=1000)
    assert await answer(stage, newer) == [("accepted", None)]
    older = chain.word(Placement("vn-92-31528-c01", UnitPath(f"{TRAN_DE}/c08"), first))
    assert await answer(stage, older) == [("refused", "older_version")]


async def test_moved_twice_before_it_follows(stage: Stage, chain: Chain) -> None:
    """The device is still at its first place: it must find the newest word there."""
    first, second, third = (UnitPath(f"{unit}/c0{n}") for unit, n in ((KE_SACH, 1), (TRAN_DE, 8), (TRAN_DE, 9)))
    await answer(stage, chain.word(Placement("vn-92-31528-c01", second, first)))
    word = chain.word(Placement("vn-92-31528-c01", third, second), later_ms=1)
    assert await answer(stage, word) == [("accepted", None)]
    async with reading(stage.running.app[ENGINE]) as connection:
        device = await device_named(connection, "vn-92-31528-c01")
    assert device is not None and device.places == (third, first)
    assert [one.digest for one in await parcel(stage, first)] == [word.digest]


async def test_out_of_service_is_counted_nowhere(stage: Stage, chain: Chain) -> None:
    first = UnitPath(f"{KE_SACH}/c01")
    word = chain.word(Placement("vn-92-31528-c01", None, first))
    assert await answer(stage, word) == [("accepted", None)]
    async with reading(stage.running.app[ENGINE]) as connection:
        device = await device_named(connection, "vn-92-31528-c01")
    assert device is not None and device.places == (UnitPath("retired/vn-92-31528-c01"), first)


async def test_commune_moves_nothing_out_of_its_unit(stage: Stage, chain: Chain) -> None:
    word = chain.word(Placement("vn-92-31528-c01", UnitPath(f"{TRAN_DE}/c09")))
    forged = sign(Kind.ASSIGNMENT, word.payload, [chain.station_key])
    assert await answer(stage, forged) == [("refused", "out_of_scope")]


async def test_word_about_strangers_waits_for_nobody(stage: Stage, chain: Chain) -> None:
    assert await answer(stage, chain.word(Placement("loa-la", UnitPath(f"{KE_SACH}/c70")))) == [("accepted", None)]
    await stage.running.app[DISTRIBUTION].publish_waiting()
    async with reading(stage.running.app[ENGINE]) as connection:
        query = select(documents.c.state, documents.c.published_ms).where(documents.c.kind == "assignment")
        row = (await connection.execute(query)).one()
    assert row.state == "in_force" and row.published_ms is not None


async def test_replaced_word_leaves_the_parcels(stage: Stage, chain: Chain) -> None:
    place = UnitPath(f"{KE_SACH}/c01")
    await answer(stage, chain.word(Placement("vn-92-31528-c01", place)))
    after = chain.word(Placement("vn-92-31528-c01", place), later_ms=1)
    await answer(stage, after)
    assert [one.digest for one in await parcel(stage, place)] == [after.digest]
    async with reading(stage.running.app[ENGINE]) as connection:
        query = select(documents.c.state).where(documents.c.kind == "assignment").order_by(documents.c.issued_ms)
        assert [*await connection.scalars(query)] == ["superseded", "in_force"]


async def test_verbs_needed(stage: Stage, chain: Chain) -> None:
    assert Verb.ASSIGN in chain.grant().verbs
    forged = sign(Kind.ASSIGNMENT, chain.word(placed(1)).payload, [stage.ceremony.province[0]])
    assert await answer(stage, forged) == [("refused", "verb_not_granted")]
