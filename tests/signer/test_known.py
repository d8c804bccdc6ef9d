"""What the signer believes, and that it never falls back."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.clock import DAY_MS, WallMs
from protocol.errors import Refusal
from protocol.grants import ANCHOR_ID
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from provisioning.demo import Ceremony
from signer.expiry import endings, root_ending
from signer.key_ring import HeldKey
from signer.loudspeakers import Loudspeakers
from signer.word_store import FOLDERS, WordStore
from tests.signer import documents, office

C1 = SigningKey.from_seed(b"1" * 32)
C2 = SigningKey.from_seed(b"2" * 32)


@pytest.fixture
def roots(ceremony: Ceremony) -> list[SigningKey]:
    return office.anchor_keys(ceremony)


@pytest.fixture
def store(ceremony: Ceremony) -> WordStore:
    """With the anchor alone: each story brings what it is about."""
    data = ceremony.data / "signer"
    for folder in FOLDERS.values():
        for path in (data / folder).glob("*.json"):
            path.unlink()
    return WordStore(data)


def reopened(ceremony: Ceremony) -> WordStore:
    return WordStore(ceremony.data / "signer")


def test_what_is_taken_survives_a_restart(ceremony: Ceremony, store: WordStore, roots: list[SigningKey]) -> None:
    words = [
        office.signed(office.first_words(), roots),
        office.signed(office.grant([C1.public]), roots),
        office.signed(office.denial(scope=documents.COMMUNE, holder="Đài xã"), roots),
    ]
    taken = store.take(words, wall=documents.NOW)
    assert [(one.refusal, one.fresh) for one in taken] == [(None, True)] * 3
    assert [one.fresh for one in store.take(words, wall=documents.NOW)] == [False] * 3
    for known in (store.known(), reopened(ceremony).known()):
        assert len(known.grants) == len(known.denied) == len(known.assignments) == 1


def test_child_and_parent_in_any_order(store: WordStore, roots: list[SigningKey]) -> None:
    above = office.grant([C1.public], verbs=(Verb.GRANT, Verb.STOP), depth=1, holder="Xã")
    parent = office.signed(above, roots)
    child = office.signed(office.grant([C2.public], verbs=(Verb.STOP,), parent=parent.digest), [C1])
    assert [one.refusal for one in store.take([child], wall=documents.NOW)] == [Refusal.GRANT_WITHOUT_PARENT]
    assert [one.refusal for one in store.take([child, parent], wall=documents.NOW)] == [None, None]


def test_older_serial_changes_nothing(store: WordStore, roots: list[SigningKey]) -> None:
    newer = office.signed(office.grant([C1.public], serial=5), roots)
    older = office.signed(office.grant([C2.public], serial=4), roots)
    store.take([newer], wall=documents.NOW)
    store.take([older], wall=documents.NOW)
    known = store.known()
    objections = {held.grant.serial: known.objection(held, documents.NOW) for held in known.grants.values()}
    assert objections == {5: None, 4: Refusal.GRANT_RENEWED}


def test_epoch_never_falls(store: WordStore, roots: list[SigningKey]) -> None:
    high, low = (office.signed(office.denial(epoch), roots) for epoch in (3, 2))
    store.take([high], wall=documents.NOW)
    store.take([low], wall=documents.NOW)
    assert [*store.known().denied.values()] == [3]
    denied = office.signed(office.grant([C1.public], epoch=2), roots)
    assert store.take([denied], wall=documents.NOW)[0].refusal is Refusal.GRANT_DENIED
    assert not store.known().grants


def test_older_word_about_a_loudspeaker_changes_nothing(store: WordStore, roots: list[SigningKey]) -> None:
    moved = office.moved("loa-31498-01", to="vn/92/31507")
    store.take([office.signed(moved, roots)], wall=documents.NOW)
    store.take([office.signed(office.first_words(), roots)], wall=documents.NOW)
    stand = Loudspeakers(store.known().assignments)
    assert stand.words["loa-31498-01"] == UnitPath("vn/92/31507/c01")
    assert len(stand.within([documents.COMMUNE])) == 8
    assert stand.newest == documents.NOW


def test_words_of_strangers_are_refused(store: WordStore) -> None:
    stranger = SigningKey.generate()
    words = [
        office.signed(office.first_words(), [stranger]),
        office.signed(office.grant([stranger.public]), [stranger]),
        office.signed(office.denial(), [stranger]),
    ]
    assert all(one.refusal is Refusal.UNKNOWN_KEY for one in store.take(words, wall=documents.NOW))
    assert not store.known().grants


def test_word_from_tomorrow_is_refused(store: WordStore, roots: list[SigningKey]) -> None:
    late = office.signed(office.first_words(issued=documents.NOW + DAY_MS), roots)
    assert store.take([late], wall=documents.NOW)[0].refusal is Refusal.NOT_YET_VALID


def test_word_outlives_the_grant_it_was_made_under(store: WordStore, roots: list[SigningKey]) -> None:
    """A new signer learns in a year where the loudspeakers were put today."""
    clerk = office.grant(
        [C1.public], scope=documents.PROVINCE, verbs=(Verb.ASSIGN,), not_before=WallMs(documents.NOW - DAY_MS * 2)
    )
    words = [office.signed(clerk, roots), office.signed(office.first_words(), [C1])]
    later = WallMs(documents.NOW + 365 * DAY_MS)
    assert [one.refusal for one in store.take(words, wall=later)] == [None, None]
    store.take([office.signed(office.denial(), roots)], wall=later)
    assert not store.known().assignments, "a clerk whose authority was taken back has said nothing"


def test_denial_of_an_ended_authority_is_refused(store: WordStore, roots: list[SigningKey]) -> None:
    above = office.grant([C1.public], verbs=(Verb.GRANT,), depth=1, holder="Xã")
    store.take([office.signed(above, roots)], wall=documents.NOW)
    own = office.denial(scope=documents.COMMUNE, holder="Xã")
    later = WallMs(documents.NOW + 365 * DAY_MS)
    assert store.take([office.signed(own, [C1])], wall=later)[0].refusal is Refusal.GRANT_EXPIRED
    assert store.take([office.signed(own, [C1])], wall=documents.NOW)[0].refusal is None


def test_damaged_file_leaves_what_was_known(store: WordStore, roots: list[SigningKey], ceremony: Ceremony) -> None:
    store.take([office.signed(office.grant([C1.public]), roots)], wall=documents.NOW)
    anchor = ceremony.data / "signer" / "anchor.json"
    kept = anchor.read_bytes()
    anchor.write_bytes(b"{")
    assert len(store.known().grants) == 1
    anchor.write_bytes(kept)
    (ceremony.data / "signer" / "root-word.json").write_text("{")
    (ceremony.data / "signer" / "grants" / "zzz.json").write_text("{")
    assert len(store.known().grants) == 1


def test_renewal_that_waits_is_no_reason_to_warn(store: WordStore, roots: list[SigningKey]) -> None:
    key = HeldKey("c1", "Cô Lan", C1.public)
    soon = office.grant([C1.public], serial=1, expires=WallMs(documents.NOW + 2 * DAY_MS))
    store.take([office.signed(soon, roots)], wall=documents.NOW)
    (ending,) = endings(store.known(), [key], documents.NOW)
    assert (ending.days, ending.step, ending.people) == (2, 3, ("Cô Lan",))
    later = office.grant([C1.public], serial=2, not_before=WallMs(documents.NOW + DAY_MS))
    store.take([office.signed(later, roots)], wall=documents.NOW)
    (ending,) = endings(store.known(), [key], documents.NOW)
    assert ending.step is None
    (over,) = endings(store.known(), [key], WallMs(documents.NOW + 91 * DAY_MS))
    assert over.step == 0
    assert not endings(store.known(), [key], WallMs(documents.NOW + 200 * DAY_MS))
    assert not endings(store.known(), [HeldKey("x", "X", C2.public)], documents.NOW)


def test_root_that_is_not_there_or_damaged(tmp_path: Path) -> None:
    assert root_ending(tmp_path, documents.NOW) is None
    for text in ("{", "[]", '{"signed": {"expires": "soon"}}'):
        (tmp_path / "root.json").write_text(text)
        assert root_ending(tmp_path, documents.NOW) is None


def test_anchor_is_held_too(store: WordStore) -> None:
    held = store.known().held(ANCHOR_ID)
    assert held is not None
    assert store.known().held("0" * 64) is None
    assert store.known().objection(held, documents.NOW) is None
