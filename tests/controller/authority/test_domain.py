"""Offices as a tree, warnings ahead of an end, and what a denial would do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.authority.domain import State, current, ending_of, grow, names_of_keys, running_out, walk, warn_level
from controller.authority.requests import NewOffice, denial, new_grant, renewal
from controller.authority.root_expiry import read_root_files
from controller.signing.judging import Authority, judge
from controller.web.explained import Explained
from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.grants import Anchor, Grant, HeldGrant, accept_all
from protocol.keys import SigningKey, key_id
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE
from tests.controller.signing.authorities import key
from tests.controller.signing.chain import OFFICE, OPERATOR, STATION, Chain

NOW = WallMs(1_795_000_000_000)
CHAIN = Chain(NOW)
ANCHOR = Anchor(PROVINCE, tuple(key(one).public for one in (1, 2, 3)), 2, (key(9).public,))


def authority(*more: Envelope, denied: dict[str, int] | None = None) -> Authority:
    held, left = accept_all([*CHAIN.whole(), *more], ANCHOR, {})
    assert not left
    return Authority(ANCHOR, held, denied or {})


def office_of(found: Authority, holder: str) -> HeldGrant:
    return next(one for one in current(found, NOW).values() if one.grant.holder == holder)


def signed(payload: bytes, *keys: SigningKey) -> Envelope:
    return sign(Kind.GRANT, payload, keys)


def test_tree_of_offices() -> None:
    (top,) = grow(authority(), NOW)
    assert [(one.grant.holder, one.state) for one in walk([top])] == [
        (OFFICE, State.SPEAKS),
        (STATION, State.SPEAKS),
        (OPERATOR, State.SPEAKS),
    ]


def test_renewed_office_stands_once() -> None:
    office, station, _ = CHAIN.whole()
    renewed = CHAIN.station(office, serial=2)
    (top,) = grow(authority(renewed), NOW)
    (node,) = top.below
    assert node.held.digest == renewed.digest
    assert [(held.digest, state) for held, state in node.former] == [(station.digest, State.RENEWED)]
    assert [one.grant.holder for one in node.below] == [OPERATOR], "given by the office, whichever its serial"


@pytest.mark.parametrize(
    ("days", "level"), [(31, None), (30, 30), (15, 30), (14, 14), (4, 14), (3, 3), (0.5, 3), (0, 0), (-1, 0)]
)
def test_warnings_30_14_and_3_days_ahead(days: float, level: int | None) -> None:
    assert warn_level(WallMs(int(NOW + days * DAY_MS)), NOW) == level


def test_running_out_most_urgent_first() -> None:
    found = authority()
    assert not running_out(grow(found, NOW))
    late = WallMs(NOW + 58 * DAY_MS)
    assert [(one.grant.holder, one.warn) for one in running_out(grow(found, late))] == [(OPERATOR, 3)]
    later = WallMs(NOW + 101 * DAY_MS)
    due = [(one.grant.holder, one.warn, one.state) for one in running_out(grow(found, later))]
    assert due == [(OPERATOR, 0, State.ENDED), (STATION, 0, State.ENDED)]


def test_keys_are_named_after_their_person() -> None:
    assert names_of_keys(authority()) == {key_id(CHAIN.operator_key.public): OPERATOR}


def test_renewal_goes_on_below_the_newest_parent() -> None:
    office = CHAIN.whole()[0]
    renewed = CHAIN.station(office, serial=2)
    found = authority(renewed)
    made = renewal(office_of(found, OPERATOR), found, NOW)
    grant = codec.decode(Grant, made.payload, bytes_max=8192)
    assert (grant.parent, grant.serial, grant.epoch) == (renewed.digest, 2, 0)
    assert grant.expires == NOW + 61 * DAY_MS, "the same term again"
    judged = judge(signed(made.payload, CHAIN.station_key), found, NOW)
    assert judged.complete


def test_renewal_never_lasts_longer_than_the_parent() -> None:
    found = authority()
    late = WallMs(NOW + 59 * DAY_MS)
    grant = codec.decode(Grant, renewal(office_of(found, OPERATOR), found, late).payload, bytes_max=8192)
    assert grant.expires == NOW + 100 * DAY_MS


def test_what_ended_above_is_renewed_first() -> None:
    found = authority()
    operator = office_of(found, OPERATOR)
    with pytest.raises(Explained, match="has ended"):
        renewal(operator, found, WallMs(NOW + 101 * DAY_MS))


def test_ending_says_what_falls_and_what_is_made_anew() -> None:
    office = CHAIN.whole()[0]
    other = CHAIN.station(office, scope=TRAN_DE, holder="Đài Trần Đề", keys=(key(50).public,))
    other_operator = sign(
        Kind.GRANT,
        codec.encode(
            CHAIN.grant(
                scope=TRAN_DE,
                holder="Ông Út",
                verbs=(Verb.SCHEDULE,),
                keys=(key(51).public,),
                threshold=1,
                depth=0,
                parent=other.digest,
                expires=WallMs(NOW + DAY_MS),
            )
        ),
        [key(50)],
    )
    found = authority(other, other_operator)
    ending = ending_of(office_of(found, STATION), found, NOW)
    assert (ending.scope, ending.holder, ending.epoch) == (PROVINCE, OFFICE, 1)
    assert [one.grant.holder for one in ending.ends] == [STATION, OPERATOR]
    assert [(one.held.grant.holder, one.done, one.ready) for one in ending.again] == [
        ("Đài Trần Đề", False, True),
        ("Ông Út", False, False),
    ]
    assert not ending.safe
    again = renewal(office_of(found, "Đài Trần Đề"), found, NOW, epoch=ending.epoch)
    found = authority(other, other_operator, signed(again.payload, *CHAIN.office_keys))
    ending = ending_of(office_of(found, STATION), found, NOW)
    assert [(one.done, one.ready) for one in ending.again] == [(True, True), (False, True)]
    last = renewal(office_of(found, "Ông Út"), found, NOW)
    found = authority(other, other_operator, signed(again.payload, *CHAIN.office_keys), signed(last.payload, key(50)))
    ending = ending_of(office_of(found, STATION), found, NOW)
    assert ending.safe
    word = codec.decode(Denial, denial(office_of(found, STATION), found, NOW).payload, bytes_max=8192)
    after = Authority(ANCHOR, found.grants, {word.grantor: word.epoch})
    assert {one.grant.holder for one in current(after, NOW).values()} == {OFFICE, "Đài Trần Đề", "Ông Út"}


def test_denied_office_is_given_again_with_its_epoch() -> None:
    found = authority()
    station = office_of(found, STATION)
    denied = Authority(ANCHOR, found.grants, {station.grantor: 4})
    grant = codec.decode(Grant, renewal(station, denied, NOW).payload, bytes_max=8192)
    assert (grant.epoch, grant.serial) == (4, 2)


USUAL = NewOffice("Cô Mai", KE_SACH, (Verb.SCHEDULE,), (key(60).public,), 1, 0, 90)


def test_new_authority_is_one_that_devices_accept() -> None:
    found = authority()
    made = new_grant(USUAL, office_of(found, STATION), found, NOW)
    assert judge(signed(made.payload, CHAIN.station_key), found, NOW).complete


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scope": TRAN_DE}, "within the unit"),
        ({"scope": UnitPath("vn/92/315280")}, "within the unit"),
        ({"verbs": ()}, "at least one thing"),
        ({"verbs": (Verb.ASSIGN,)}, "may not"),
        ({"depth": 1, "verbs": (Verb.GRANT,)}, "cannot follow"),
        ({"verbs": (Verb.GRANT,)}, "one step below"),
        ({"days": 91}, "90 days"),
        ({"days": 0}, "90 days"),
        ({"keys": ()}, "between 1 and 16"),
        ({"keys": (key(60).public, key(60).public)}, "each once"),
        ({"keys": ("00" * 32,)}, "not a public key"),
        ({"keys": ("xyz",)}, "not a public key"),
        ({"threshold": 2}, "keys"),
    ],
)
def test_new_authority_that_is_too_wide(change: dict[str, object], words: str) -> None:
    found = authority()
    fields = {name: getattr(USUAL, name) for name in USUAL.__slots__} | change
    with pytest.raises(Explained, match=words):
        new_grant(NewOffice(**fields), office_of(found, STATION), found, NOW)


def root_file(folder: Path, name: str, text: str) -> None:
    (folder / "metadata").mkdir(exist_ok=True)
    (folder / "metadata" / name).write_text(text)


def test_root_files_say_when_they_end(tmp_path: Path) -> None:
    assert read_root_files(tmp_path) == ()
    for name, day in (("1.root.json", "2027-01-01"), ("2.root.json", "2028-01-01"), ("timestamp.json", "2027-02-01")):
        root_file(tmp_path, name, json.dumps({"signed": {"expires": f"{day}T00:00:00Z"}}))
    root_file(tmp_path, "3.snapshot.json", "{")
    root_file(tmp_path, "5.targets.json", '{"signed": []}')
    found = {one.role: one.expires for one in read_root_files(tmp_path)}
    assert found == {"root": 1_830_297_600_000, "targets": None, "snapshot": None, "timestamp": 1_801_440_000_000}
