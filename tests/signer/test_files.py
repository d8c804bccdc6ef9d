"""Keys, places, grants and words as they lie on the disk."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from protocol import codec
from protocol.assignment import Assignment, Placement
from protocol.clock import WallMs
from protocol.keys import SigningKey
from protocol.units import UnitPath
from provisioning.demo import Ceremony
from provisioning.i18n import CATALOGUE as TOOL_WORDS
from signer import i18n
from signer.app import make_app
from signer.catalogue import Catalogue
from signer.config import SignerConfig, data_directory, origin
from signer.disk import append_durably, write_durably
from signer.errors import KeyStoreError, SetupError, WrongPassphraseError
from signer.key_store import COST, KeyStore, SealedKey, check_name, read_sealed, seal, unseal
from signer.places import Place, Places, load_places
from signer.word_store import WordStore

ROOT = Path(__file__).parents[2]
KEY = SigningKey.from_seed(b"k" * 32)
SEALED = seal(KEY, name="c1", holder="Cô Lan", passphrase="sen-lua", cost=2)


def test_key_is_opened_by_its_passphrase_only() -> None:
    assert unseal(SEALED, "sen-lua").seed() == KEY.seed()
    with pytest.raises(WrongPassphraseError):
        unseal(SEALED, "sen-lua-")


@pytest.mark.parametrize(
    "changed",
    [{"holder": "Người khác"}, {"name": "p1"}, {"public": SigningKey.from_seed(b"x" * 32).public}, {"cost": 4}],
    ids=lambda changed: next(iter(changed)),
)
def test_changed_key_file_does_not_open(changed: dict[str, object]) -> None:
    with pytest.raises(WrongPassphraseError):
        unseal(replace(SEALED, **changed), "sen-lua")  # type: ignore[arg-type]


@pytest.mark.parametrize("changed", [{"nonce": ""}, {"salt": "zz"}, {"sealed": "abc"}, {"cost": 3}])
def test_damaged_key_file_says_so(changed: dict[str, object]) -> None:
    with pytest.raises(KeyStoreError, match=r"damaged|hỏng"):
        unseal(replace(SEALED, **changed), "sen-lua")  # type: ignore[arg-type]


def test_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    path = store.add(SEALED)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert KEY.seed().hex() not in path.read_text()
    with pytest.raises(KeyStoreError):
        store.add(SEALED)


def test_one_damaged_file_leaves_the_others(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.add(SEALED)
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "huge.json").write_text(" " * 100_000)
    assert [one.name for one in store.all()] == ["c1"]
    assert store.get("c1") == SEALED
    with pytest.raises(KeyStoreError):
        store.get("bad")
    with pytest.raises(KeyStoreError):
        read_sealed(tmp_path / "none.json")


def test_cost_of_guessing_stays_high() -> None:
    assert COST >= 2**15


def test_key_file_that_asks_for_too_much_memory_is_refused() -> None:
    value = codec.parse_json(codec.encode(SEALED), bytes_max=4096) | {"cost": 2**30}
    with pytest.raises(Exception, match="cost"):
        codec.build(SealedKey, value)


@pytest.mark.parametrize("name", ["", "a/b", "..", "A", "x" * 33])
def test_name_that_is_no_file_name(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        check_name(name)


def test_signer_without_an_anchor_is_not_set_up(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        make_app(SignerConfig(tmp_path / "signer"))
    (tmp_path / "anchor.json").write_text("{}")
    with pytest.raises(SetupError):
        make_app(SignerConfig(tmp_path / "signer"))


def test_damaged_grant_leaves_the_others(ceremony: Ceremony) -> None:
    grants = ceremony.data / "signer" / "grants"
    (grants / "aaa.json").write_text("{")
    (grants / "commune-c1.json").write_bytes((grants / "commune-c2.json").read_bytes()[:-30])
    assert WordStore(ceremony.data / "signer").known().grants


def test_places_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"VN": {"name": "x"}}', '{"vn": {}}'):
        (tmp_path / "places.json").write_text(text)
        assert load_places(tmp_path).name(UnitPath("vn")) == "vn"
    assert load_places(tmp_path / "none").name(UnitPath("vn")) == "vn"


def test_place_within_another_counts_once() -> None:
    named = {UnitPath("vn/1"): Place("Xã", 50, 100), UnitPath("vn/1/a"): Place("Ấp", 2, 40)}
    stand = tuple(Placement(f"loa-{at}", UnitPath(f"vn/1/{at}")) for at in "abcde")
    places = Places(named).counted_by([Assignment(UnitPath("vn"), WallMs(1), stand)])
    reach = places.reach([UnitPath("vn/1/a"), UnitPath("vn/1"), UnitPath("vn/1")])
    assert (reach.loudspeakers, reach.people, len(reach.targets)) == (5, 100, 1)


def test_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")

    def fail(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_half_a_line_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append_durably(path, b"one")
    with path.open("ab") as file:
        file.write(b"tw")
    append_durably(path, b"three")
    assert path.read_bytes() == b"one\ntw\nthree\n"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a:80/x?y", "http://a:80"),
        ("https://A.example/", "https://a.example"),
        ("http://[::1]:8/", "http://[::1]:8"),
    ],
)
def test_origin_of_an_address(url: str, expected: str) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize("url", ["", "x", "ftp://a", "http://", "http://u@a", "http://a\\@b", "http://a:99999"])
def test_address_without_an_origin(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        origin(url)


def test_controller_elsewhere_has_one_name() -> None:
    assert SignerConfig(Path(), "https://loa.example").controller_origins == {"https://loa.example"}
    assert SignerConfig(Path(), "http://localhost").controller_origins == {"http://localhost", "http://127.0.0.1"}


def test_demo_directory_holds_the_signers(tmp_path: Path) -> None:
    assert data_directory(tmp_path) == tmp_path
    (tmp_path / "signer").mkdir()
    assert data_directory(tmp_path) == tmp_path / "signer"


@pytest.mark.parametrize(
    ("package", "catalogue"),
    [("signer", i18n.CATALOGUE), ("provisioning", TOOL_WORDS)],
    ids=["signer", "provisioning"],
)
def test_every_sentence_is_translated(package: str, catalogue: Catalogue) -> None:
    found = extract_from_dir(
        str(ROOT / package),
        [("**.py", "python"), ("templates/**.html", "jinja2")],
        options_map={"**.html": {"newstyle_gettext": "true"}},
        keywords={"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)},
    )
    used = {one[2] if isinstance(one[2], str) else one[2][0] for one in found}
    with catalogue.source.open("rb") as file:
        read = {
            (one.id if isinstance(one.id, str) else one.id[0]): one for one in read_po(file, locale="vi") if one.id
        }
    assert used == set(read)
    assert not [one.id for one in read.values() if not one.string or one.fuzzy or list(one.check())]
