"""A province's root as its holders type it, and what devices make of it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from tuf.api.exceptions import UnsignedMetadataError
from typer.testing import CliRunner, Result

from edge.updates.client import Synced, from_stick, sync
from edge.updates.software import Wish
from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denied, RootWord, read_root_word
from protocol.keys import SigningKey
from protocol.units import unit_path
from provisioning.cli import app
from provisioning.errors import ProvisioningError
from provisioning.root import NewTarget, RootDirectory
from provisioning.root_keys import RoleKeys, tuf_signer
from provisioning.root_word import next_word, read_denied
from provisioning.root_words import days_left, warning
from signer.key_store import KeyStore, seal

NOW = WallMs(1_900_000_000_000)
PASSPHRASE = "sen-lua-trau-47"
ANCHOR = Denied(unit_path("vn/92"), "anchor", 3)


def keys(*names: str) -> list[SigningKey]:
    return [SigningKey.from_seed(name.encode().ljust(32, b".")) for name in names]


def held(*names: str, threshold: int = 1) -> RoleKeys:
    return RoleKeys(tuple(key.public for key in keys(*names)), threshold)


HOLDERS = {
    "root": held("r1", "r2", "r3", threshold=2),
    "targets": held("t1", "t2", threshold=2),
    "snapshot": held("s1"),
    "timestamp": held("s2"),
}
ALL = ("r1", "r2", "t1", "t2", "s1", "s2")


@dataclass
class Province:
    """The repository, the folder a controller serves, and one device."""

    folder: Path
    wall: WallMs = NOW

    @property
    def root(self) -> RootDirectory:
        return RootDirectory(self.folder / "root", wall=self.wall)

    def sign(self, *names: str) -> list[tuple[str, int]]:
        waiting = self.root.advance([tuf_signer(key) for key in keys(*names)])
        return [(one.role, one.missing) for one in waiting]

    def publish(self, path: str, data: bytes, *names: str) -> None:
        self.root.offer([NewTarget(path, data)])
        self.sign(*(names or ALL))

    def sync(self, wish: Wish | None = None) -> Synced:
        self.root.copy_to(self.folder / "served")
        enrolled = (self.folder / "root" / "metadata" / "1.root.json").read_bytes()
        into, metadata = self.folder / "device" / "targets", self.folder / "device" / "metadata"
        return sync(metadata, from_stick(self.folder / "served"), into=into, root=enrolled, wall=self.wall, wish=wish)


@pytest.fixture
def province(tmp_path: Path) -> Province:
    made = Province(tmp_path)
    made.root.begin(HOLDERS)
    return made


@pytest.fixture
def begun(province: Province) -> Province:
    assert province.sign(*ALL) == []
    return province


def anchor(synced: Synced) -> bytes | None:
    return synced.anchor.read_bytes() if synced.anchor else None


def test_root_begins_when_enough_have_signed(province: Province) -> None:
    assert province.sign("r1") == [("root", 1), ("targets", 2)]
    assert province.sign("t1", "r3") == [("targets", 1)]
    assert province.sign("s1", "s2") == [("targets", 1)]
    assert province.sign("t2") == [("snapshot", 1)]
    assert province.sign("s1", "s2") == []
    assert anchor(province.sync()) is None


def test_nothing_is_served_before_it_is_signed(province: Province) -> None:
    province.sign("r1", "r2")
    with pytest.raises(ProvisioningError):
        province.root.copy_to(province.folder / "served")


def test_published_anchor_reaches_a_device(begun: Province) -> None:
    begun.publish("anchor.json", b"the anchor")
    assert anchor(begun.sync()) == b"the anchor"
    begun.publish("anchor.json", b"another")
    assert anchor(begun.sync()) == b"another"


def test_holders_sign_copies_apart(begun: Province, tmp_path: Path) -> None:
    begun.root.offer([NewTarget("anchor.json", b"1")])
    (waiting,) = begun.root.waiting()
    for name in ("t1", "t2"):
        copy = begun.folder / name
        shutil.copytree(begun.folder / "root", copy)
        other = RootDirectory(copy, wall=NOW)
        other.advance([tuf_signer(key) for key in keys(name)])
        signed = other.draft("targets")
        begun.root.collect(signed.to_bytes() if signed else (copy / "metadata" / "2.targets.json").read_bytes())
    assert begun.sign("s1", "s2") == []
    assert waiting.role == "targets" and anchor(begun.sync()) == b"1"


def test_copy_of_something_else_is_not_collected(begun: Province) -> None:
    begun.root.offer([NewTarget("anchor.json", b"1")])
    other = Province(begun.folder / "other")
    other.root.begin(HOLDERS)
    draft = other.root.draft("targets")
    assert draft
    for data in (draft.to_bytes(), b"{}", b"\0"):
        with pytest.raises(ProvisioningError):
            begun.root.collect(data)


def test_new_holders_need_the_old_ones(begun: Province) -> None:
    begun.publish("anchor.json", b"1")
    begun.sync()
    begun.root.rotate({"root": held("n1", "n2", "n3", threshold=2)})
    assert begun.sign("n1", "n2") == [("root", 2)]
    assert begun.sign("r1", "r3") == []
    begun.publish("anchor.json", b"2")
    assert anchor(begun.sync()) == b"2"


def test_lost_key_of_targets_no_longer_publishes(begun: Province) -> None:
    begun.root.rotate({"targets": held("t3", "t4", threshold=2)})
    assert begun.sign("r1", "r2") == [("targets", 2)]
    assert begun.sign("t1", "t2") == [("targets", 2)]
    assert begun.sign("t3", "t4", "s1", "s2") == []
    begun.publish("anchor.json", b"1", "t3", "t4", "s1", "s2")
    assert anchor(begun.sync()) == b"1"


def test_lost_online_keys_are_replaced(begun: Province) -> None:
    begun.sync()
    begun.root.rotate({"snapshot": held("x1"), "timestamp": held("x2")})
    assert begun.sign("r1", "r2", "x1", "x2") == []
    begun.sync()


def test_device_notices_a_changed_file(begun: Province) -> None:
    begun.publish("anchor.json", b"1")
    begun.sync()
    served = begun.folder / "served" / "metadata" / "timestamp.json"
    begun.root.renew()
    begun.sign("s1", "s2")
    begun.root.copy_to(begun.folder / "served")
    changed = re.sub(rb'("version": ?)3', rb"\g<1>4", served.read_bytes())
    assert changed != served.read_bytes()
    served.write_bytes(changed)
    enrolled = (begun.folder / "root" / "metadata" / "1.root.json").read_bytes()
    device = begun.folder / "device"
    with pytest.raises(UnsignedMetadataError):
        sync(device / "metadata", from_stick(begun.folder / "served"), into=device / "t", root=enrolled, wall=NOW)


def test_lives_are_a_year_and_a_quarter(begun: Province) -> None:
    lives = {role: days_left(made, NOW) for role in HOLDERS if (made := begun.root.published(role))}
    assert lives == {"root": 365, "targets": 365, "snapshot": 92, "timestamp": 92}


def test_renewal_gives_a_new_quarter(begun: Province) -> None:
    begun.wall = WallMs(NOW + 91 * DAY_MS)
    begun.root.renew()
    assert begun.sign("s1", "s2") == []
    begun.wall = WallMs(NOW + 180 * DAY_MS)
    begun.sync()


def test_warnings_grow_nearer() -> None:
    said = [warning(days) for days in (40, 30, 29, 13, 2, -1)]
    assert said[:2] == ["", ""]
    assert len(set(said[2:])) == 4


def test_word_keeps_what_was_denied() -> None:
    first = next_word(None, denied=[ANCHOR], floor=WallMs(5))
    assert first == RootWord(1, (ANCHOR,), WallMs(5))
    second = next_word(codec.encode(first), denied=[Denied(unit_path("vn/92/31498"), "xã", 1)], floor=None)
    assert second.version == 2 and ANCHOR in second.denied and second.floor is None


def test_epochs_never_fall() -> None:
    with pytest.raises(ProvisioningError):
        next_word(codec.encode(RootWord(1, (ANCHOR,))), denied=[Denied(ANCHOR.scope, "anchor", 2)], floor=None)


def test_denials_are_read_strictly() -> None:
    assert read_denied("vn/92=a=b=3") == Denied(unit_path("vn/92"), "a=b", 3)
    for wrong in ("vn/92", "vn/92=3", "vn/92=anchor=x"):
        with pytest.raises(ProvisioningError):
            read_denied(wrong)


def run(*words: object, typed: str = "", code: int = 0) -> Result:
    asked = ["root", *map(str, words)]
    result = CliRunner().invoke(app, asked, input=typed, env={"LOALANG_LANG": "en", "COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result


def key_file(folder: Path, name: str) -> Path:
    (key,) = keys(name)
    return KeyStore(folder).add(seal(key, name=name, holder=name, passphrase=PASSPHRASE, cost=2**4))


@pytest.mark.slow
def test_ceremony_as_it_is_typed(tmp_path: Path) -> None:
    files = {name: key_file(tmp_path / "keys", name) for name in (*ALL, "r3")}
    where = ("--directory", tmp_path / "root")

    def opened(*names: str) -> list[object]:
        return [word for name in names for word in ("--sign-with", files[name])]

    def typed(count: int) -> str:
        return f"{PASSPHRASE}\n" * count

    named = [
        ("root", "r1"),
        ("root", "r2"),
        ("root", "r3"),
        ("targets", "t1"),
        ("snapshot", "s1"),
        ("timestamp", "s2"),
    ]
    words = [word for role, name in named for word in (f"--{role}-key", files[name])]
    made = run("init", *words, "--root-threshold", 2, "--targets-threshold", 1, *opened("r1"), *where, typed=typed(1))
    assert "root still waits for signatures (1)" in made.output
    draft, copy = tmp_path / "root" / "draft" / "1.root.json", tmp_path / "copy.json"
    shown = run("sign", draft, "--out", copy, *opened("r2"), typed="y\n" + typed(1)).output
    assert "root, version 1" in shown and "2 of these keys must sign" in shown
    run("collect", copy, *opened("t1", "s1", "s2"), *where, typed=typed(3))
    run("word", "--deny", "vn/92=anchor=3", "--floor", "2026-01-01", "--out", tmp_path / "word.json", *where)
    (tmp_path / "anchor.json").write_bytes(b"the anchor")
    (tmp_path / "new.whl").write_bytes(b"software")
    offered = ["--anchor", tmp_path / "anchor.json", "--word", tmp_path / "word.json"]
    offered += ["--software", f"agent:0.2.0:any:{tmp_path / 'new.whl'}", "--to", tmp_path / "served"]
    done = run("publish", *offered, *opened("t1", "s1", "s2"), *where, typed=typed(3))
    assert "Everything is signed and published." in done.output
    assert "91" in run("status", *where).output
    enrolled = (tmp_path / "served" / "metadata" / "1.root.json").read_bytes()
    origin = from_stick(tmp_path / "served")
    synced = sync(tmp_path / "m", origin, into=tmp_path / "t", root=enrolled, wish=Wish("agent", "0.1.0"))
    assert synced.taken and synced.taken.read_bytes() == b"software"
    assert synced.word and read_root_word(synced.word.read_bytes()).denied == (ANCHOR,)


@pytest.mark.slow
def test_key_without_a_part_is_turned_away(tmp_path: Path) -> None:
    """Where the root lies near; apart from it, whoever collects the copy notices."""
    made = Province(tmp_path)
    made.root.begin(HOLDERS)
    draft, copy = tmp_path / "root" / "draft" / "1.root.json", tmp_path / "apart" / "copy.json"
    for name in ("1.root.json", "1.targets.json"):
        before = (draft.parent / name).read_bytes()
        stranger = ("--sign-with", key_file(tmp_path / name, "s1"), "--yes")
        assert "This key does not count here" in run("sign", draft.parent / name, *stranger, code=1).output
        assert (draft.parent / name).read_bytes() == before
    copy.parent.mkdir()
    shutil.copyfile(draft.with_name("1.targets.json"), copy)
    signing = ("sign", copy, "--sign-with", tmp_path / "1.root.json" / "s1.json", "--yes")
    assert "is not here" in run(*signing, "--directory", tmp_path / "none", typed=f"{PASSPHRASE}\n").output
    assert "No signature in this file counts" in run("collect", copy, "--directory", tmp_path / "root", code=1).output
    root = ("sign", draft, "--sign-with", key_file(tmp_path, "r1"))
    assert "Nothing was signed" in run(*root, typed="\n", code=1).output
    assert "Signed" in run(*root, typed=f"y\n{PASSPHRASE}\n").output


@pytest.mark.slow
def test_init_makes_keys_for_new_holders(tmp_path: Path) -> None:
    names = {"root": "r", "targets": "t", "snapshot": "s", "timestamp": "s"}
    words = [word for role, name in names.items() for word in (f"--{role}-key", f"new:{name}")]
    where = ("--directory", tmp_path / "root", "--keys", tmp_path / "keys")
    thresholds = ("--root-threshold", 1, "--targets-threshold", 1)
    done = run("init", *words, *thresholds, *where, typed=f"{PASSPHRASE}\n{PASSPHRASE}\n" * 3)
    assert "Everything is signed and published." in done.output
    sealed = [json.loads(path.read_text()) for path in sorted((tmp_path / "keys").iterdir())]
    assert [one["name"] for one in sealed] == ["r", "s", "t"]


@pytest.mark.slow
def test_mistakes_are_sentences(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"{}")
    said = [
        run("publish", "--anchor", file, "--directory", tmp_path / "none", code=1).output,
        run("publish", "--software", "agent", "--directory", tmp_path, code=1).output,
        run("collect", file, "--directory", tmp_path, code=1).output,
    ]
    assert all("This did not work:" in one and "Traceback" not in one for one in said)
