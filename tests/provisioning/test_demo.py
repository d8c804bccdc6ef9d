"""The demo's ceremony, held once and found again."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from edge.updates.client import from_stick, sync
from protocol import codec
from protocol.authority import authorise
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.errors import DocumentError, Refusal
from protocol.grants import Grant, HeldGrant, read_anchor
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from provisioning.ceremony import hold as hold_chain
from provisioning.demo import Ceremony, load_ceremony, make_ceremony
from provisioning.errors import ProvisioningError
from provisioning.log_key import open_log_key, read_log_key
from provisioning.passphrase import WORDS, make_passphrase
from signer.key_store import KeyStore, unseal
from signer.word_store import WordStore
from tests.protocol import people

pytestmark = pytest.mark.slow

NOW = people.NOW
FRESHNESS = SigningKey.from_seed(b"f" * 32).public
PLACES: dict[str, Any] = {
    "vn/92": {"name": "Thành phố Cần Thơ", "loudspeakers": 24, "people": 38_500},
    "vn/92/31498": {"name": "Xã Long Phú", "loudspeakers": 9, "people": 14_200},
    "vn/92/31498/c01": {"name": "Ấp 1", "loudspeakers": 1, "people": 1_500},
    "vn/92/31507": {"name": "Xã Đại Ngãi", "loudspeakers": 8, "people": 12_800},
    "vn/92/31528": {"name": "Xã Trường Khánh", "loudspeakers": 7, "people": 11_500},
    "vn/92/31600": {"name": "Xã không có trong bản trình diễn"},
}


def hold(data: Path, *, wall: int = NOW, freshness: str = FRESHNESS, **more: Any) -> Ceremony:
    return make_ceremony(data, freshness_key=freshness, places=PLACES, wall=WallMs(wall), cost=2, **more)


@pytest.fixture(scope="module")
def ceremony(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    return hold(tmp_path_factory.mktemp("demo"))


def held(made: Ceremony) -> dict[str, HeldGrant]:
    return dict(hold_chain(made.grants, made.anchor))


def refusal(made: Ceremony, kind: Kind, payload: bytes, *keys: str) -> Refusal | None:
    opened = KeyStore(made.data / "signer" / "keys")
    signers = [unseal(opened.get(key), made.person(key).passphrase) for key in keys]
    try:
        authorise(sign(kind, payload, signers), anchor=made.anchor, grants=held(made), wall=NOW, denied={})
    except DocumentError as error:
        return error.refusal
    return None


def test_people_and_their_places(ceremony: Ceremony) -> None:
    assert [(one.key, one.scope) for one in ceremony.people] == [
        ("p1", "vn/92"),
        ("p2", "vn/92"),
        ("c1", "vn/92/31498"),
        ("c2", "vn/92/31507"),
        ("c3", "vn/92/31528"),
    ]
    assert len({one.passphrase for one in ceremony.people}) == 5


def test_who_may_do_what(ceremony: Ceremony) -> None:
    wide = people.alert((people.COMMUNE, people.OTHER), people.PROVINCE)
    assert refusal(ceremony, Kind.SCHEDULE, people.schedule(), "c1") is None
    assert refusal(ceremony, Kind.SCHEDULE, people.schedule(), "p1") is None
    assert refusal(ceremony, Kind.STOP, people.stop(), "c1") is None
    assert refusal(ceremony, Kind.ALERT, people.alert(), "c1") is None
    assert refusal(ceremony, Kind.ALERT, wide, "p1", "p2") is None
    assert refusal(ceremony, Kind.SCHEDULE, people.schedule(), "c2") is Refusal.OUT_OF_SCOPE
    assert refusal(ceremony, Kind.ALERT, wide, "p1") is not None
    assert refusal(ceremony, Kind.ALERT, wide, "c1") is not None


def test_files_belong_to_their_owner(ceremony: Ceremony) -> None:
    files = [path for path in ceremony.data.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"anchor.json", "demo.json", "places.json", "p1.json", "anchor-1.json"}
    served = (ceremony.root_path, ceremony.data / "root", ceremony.data / "ceremony" / "root")
    private = [path for path in files if not any(path.is_relative_to(one) for one in served)]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in private)


def test_anchor_keys_are_not_the_signers(ceremony: Ceremony) -> None:
    """Whoever sits at the signer must not be able to choose the province's root."""
    names = {one.name for one in KeyStore(ceremony.data / "signer" / "keys").all()}
    assert names == {"p1", "p2", "c1", "c2", "c3"}


def test_logs_are_sealed_to_a_key_of_the_demo(ceremony: Ceremony) -> None:
    secret = json.loads((ceremony.data / "signer" / "demo.json").read_text())["log_key"]["passphrase"]
    sealed = read_log_key(ceremony.data / "ceremony" / "log-key.json")
    assert open_log_key(sealed, secret).public == ceremony.anchor.log_key


def test_signer_reads_what_the_ceremony_left(ceremony: Ceremony) -> None:
    assert WordStore(ceremony.data / "signer").known().grants
    assert read_anchor(ceremony.anchor_path.read_bytes()) == ceremony.anchor
    assert ceremony.anchor.freshness_keys == (FRESHNESS,)


def test_second_start_finds_everything_again(tmp_path: Path) -> None:
    first = hold(tmp_path)
    assert hold(tmp_path, wall=NOW + DAY_MS) == first
    assert load_ceremony(tmp_path) == first


def test_grants_are_renewed_in_their_last_month(tmp_path: Path) -> None:
    first = hold(tmp_path)
    later = hold(tmp_path, wall=NOW + 65 * DAY_MS)
    assert later.people == first.people
    assert later.anchor == first.anchor
    grants = [codec.decode(Grant, one.payload, bytes_max=8192) for one in later.grants]
    assert {one.serial for one in grants} == {2}
    assert min(one.expires for one in grants) > NOW + 150 * DAY_MS
    assert len(held(later)) == 9


def test_new_controller_key_goes_into_the_anchor(tmp_path: Path) -> None:
    first = hold(tmp_path)
    other = SigningKey.from_seed(b"g" * 32).public
    again = hold(tmp_path, freshness=other)
    assert again.anchor.freshness_keys == (other,)
    assert again.anchor.keys == first.anchor.keys
    assert len(held(again)) == 9


def test_interrupted_ceremony_begins_anew(tmp_path: Path) -> None:
    hold(tmp_path)
    (tmp_path / "signer" / "demo.json").unlink()
    again = hold(tmp_path)
    assert len(held(again)) == 9
    opened = KeyStore(tmp_path / "signer" / "keys")
    assert all(unseal(opened.get(one.key), one.passphrase).public == one.public for one in again.people)


@pytest.mark.parametrize("name", ["signer/demo.json", "anchor.json", "signer/grants/commune-c1.json"])
def test_damaged_file_is_said_plainly(tmp_path: Path, name: str) -> None:
    hold(tmp_path)
    (tmp_path / name).write_text("{")
    with pytest.raises(ProvisioningError, match="cannot be read"):
        hold(tmp_path)


def test_chosen_communes(tmp_path: Path) -> None:
    made = hold(tmp_path, communes=["vn/92/31600"])
    assert made.people[-1].scope == UnitPath("vn/92/31600")
    assert len(made.people) == 3


def test_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "signer").write_text("in the way")
    with pytest.raises(ProvisioningError, match="cannot be written"):
        hold(tmp_path)


def test_places_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unit path"):
        make_ceremony(tmp_path, freshness_key=FRESHNESS, places={"VN": {"name": "x"}})
    with pytest.raises(DocumentError):
        make_ceremony(tmp_path, freshness_key="00", places={})


def test_verbs_of_the_grants(ceremony: Ceremony) -> None:
    made = {one.holder: one for one in (held_one.grant for held_one in held(ceremony).values())}
    assert made["Trực khẩn cấp thành phố"].threshold == 2
    assert made["Trực khẩn cấp thành phố"].verbs == (Verb.ALERT, Verb.ALERT_WIDE)
    assert Verb.ALERT not in made["Trung tâm truyền thông thành phố"].verbs
    assert set(made["Đài truyền thanh xã Long Phú"].verbs) == {
        Verb.SCHEDULE,
        Verb.CONFIGURE,
        Verb.LIVE,
        Verb.ALERT,
        Verb.STOP,
        Verb.GRANT,
    }


def test_passphrase_is_easy_to_type() -> None:
    made = {make_passphrase() for _ in range(50)}
    assert len(made) == 50
    assert all(one.replace("-", "").isalnum() and one.isascii() and one == one.lower() for one in made)
    assert len(set(WORDS)) == len(WORDS) > 100


def test_places_lie_beside_the_keys(ceremony: Ceremony) -> None:
    assert json.loads((ceremony.data / "signer" / "places.json").read_text()) == PLACES


def synced(made: Ceremony, *, wall: int = NOW) -> bytes | None:
    pinned, device = made.root_path.read_bytes(), made.data / "device"
    origin = from_stick(made.data / "root")
    found = sync(device / "metadata", origin, into=device / "targets", root=pinned, wall=WallMs(wall))
    assert found.word is not None
    return found.anchor.read_bytes() if found.anchor else None


def test_root_of_the_demo_names_its_anchor(tmp_path: Path) -> None:
    made = hold(tmp_path)
    assert synced(made) == codec.encode(made.anchor) == made.anchor_path.read_bytes()
    before = (tmp_path / "root" / "metadata" / "timestamp.json").read_bytes()
    hold(tmp_path)
    assert (tmp_path / "root" / "metadata" / "timestamp.json").read_bytes() == before
    again = hold(tmp_path, freshness=SigningKey.from_seed(b"g" * 32).public)
    assert synced(again) == codec.encode(again.anchor)


@pytest.mark.parametrize("days", [80, 350])
def test_root_of_the_demo_is_renewed(tmp_path: Path, days: int) -> None:
    pinned = hold(tmp_path).root_path.read_bytes()
    made = hold(tmp_path, wall=NOW + days * DAY_MS)
    assert made.root_path.read_bytes() == pinned
    assert synced(made, wall=NOW + (days + 60) * DAY_MS) == codec.encode(made.anchor)


def test_root_of_the_demo_that_was_interrupted(tmp_path: Path) -> None:
    former = hold(tmp_path).root_path.read_bytes()
    (tmp_path / "ceremony" / "root.json").unlink()
    made = hold(tmp_path)
    assert made.root_path.read_bytes() != former
    assert synced(made) == codec.encode(made.anchor)


def test_damaged_root_of_the_demo_is_told(tmp_path: Path) -> None:
    hold(tmp_path)
    (tmp_path / "ceremony" / "root.json").write_bytes(b"{}")
    with pytest.raises(ProvisioningError, match="demo's root"):
        hold(tmp_path, freshness=SigningKey.from_seed(b"g" * 32).public)
