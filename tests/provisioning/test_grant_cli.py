"""Grants below grants, renewals, denials and assignments, made with key files and no network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocol.authority import authorise
from protocol.clock import local_datetime
from protocol.document import Kind
from protocol.envelope import sign
from protocol.grants import read_anchor
from protocol.keys import SigningKey
from provisioning.ceremony import hold
from provisioning.errors import ProvisioningError
from provisioning.grant_files import read_envelope, read_grant
from provisioning.placement_file import read_placements
from provisioning.terminal import now
from signer.key_store import KeyStore, seal
from tests.protocol.people import C1, stop
from tests.provisioning.test_cli import PASSPHRASE, run

pytestmark = pytest.mark.slow

FRESHNESS = SigningKey.from_seed(b"f" * 32).public


class Table:
    """A room with an anchor, a province's office and a commune's station."""

    def __init__(self, room: Path) -> None:
        self.room, self.anchor = room, room / "anchor.json"
        self.public = {name: self._key(name) for name in ("root-1", "root-2", "tinh-1", "tinh-2", "xa")}
        keys = ["--key", self.public["root-1"], "--key", self.public["root-2"]]
        run("anchor", "make", "vn/92", *keys, "--freshness-key", FRESHNESS, "--out", self.anchor)
        self.office, self.station = room / "office.json", room / "station.json"

    def _key(self, name: str) -> str:
        key = SigningKey.generate()
        store = KeyStore(self.room / "keys")
        store.put(seal(key, name=name, holder=name, passphrase=PASSPHRASE, cost=2))
        return key.public

    def signed(self, *words: str | Path, by: tuple[str, ...], code: int = 0, first: str = "") -> str:
        asked = [*words, "--anchor", self.anchor]
        for name in by:
            asked += ["--sign-with", self.room / "keys" / f"{name}.json"]
        return run(*asked, typed=first + f"{PASSPHRASE}\n" * len(by), code=code).output

    def make_chain(self) -> None:
        verbs = [word for verb in ("schedule", "grant", "assign") for word in ("--verb", verb)]
        keys = ["--key", self.public["tinh-1"], "--key", self.public["tinh-2"], "--threshold", "2"]
        made = ["grant", "make", "vn/92", "--holder", "Tỉnh", *verbs, *keys, "--depth", "2", "--days", "360"]
        self.signed(*made, "--out", self.office, by=("root-1", "root-2"))
        station = ["grant", "make", "vn/92/31528", "--holder", "Xã", "--verb", "schedule", "--key", self.public["xa"]]
        above = ["--parent", self.office, "--out", self.station]
        assert "still waits" in self.signed(*station, *above, by=("tinh-1",))
        signing = ["grant", "sign", self.station, "--parent", self.office]
        assert "still waits" not in self.signed(*signing, by=("tinh-2",), first="y\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Table:
    table = Table(tmp_path_factory.mktemp("room"))
    table.make_chain()
    return table


def test_station_below_the_province(made: Table) -> None:
    anchor = read_anchor(made.anchor.read_bytes())
    held = hold([read_envelope(made.station), read_envelope(made.office)], anchor)
    assert [one.grant.holder for one in held.values()] == ["Tỉnh", "Xã"]


def test_renewal_keeps_the_office(made: Table) -> None:
    out = made.room / "renewed.json"
    made.signed("grant", "renew", made.station, "--parent", made.office, "--out", out, by=("tinh-1", "tinh-2"))
    former, after = read_grant(read_envelope(made.station)), read_grant(read_envelope(out))
    assert (after.serial, after.holder, after.keys, after.parent) == (2, "Xã", former.keys, former.parent)
    assert after.expires > former.expires


def test_denial_ends_the_station(made: Table) -> None:
    out = made.room / "denial.json"
    words = ["deny", "vn/92", "--holder", "Tỉnh", "--epoch", "1", "--parent", made.office, "--out", out]
    assert "still waits" in made.signed(*words, by=("tinh-1",))
    shown = made.signed("grant", "sign", out, "--parent", made.office, by=("tinh-2",), first="yes\n")
    assert "Ends every grant that Tỉnh (vn/92) gave with an epoch below 1." in shown
    anchor = read_anchor(made.anchor.read_bytes())
    held = hold([read_envelope(made.office), read_envelope(made.station)], anchor)
    found = authorise(read_envelope(out), anchor=anchor, grants=held, wall=now(), denied={})
    assert found.holder == "Tỉnh"


def test_table_of_loudspeakers(made: Table) -> None:
    table, out = made.room / "loa.csv", made.room / "assignment.json"
    table.write_text("device,place,former\nloa-1,vn/92/31528/c01,\nloa-2,,vn/92/31528/c02\n")
    words = ["assign", "make", table, "vn/92", "--parent", made.office, "--out", out]
    assert "2 loudspeakers" in made.signed(*words, by=("tinh-1", "tinh-2"))
    table.write_text("device,place,former\nloa-1,vn/92/31528/c01,\n")
    assert "1 loudspeaker." in made.signed(*words, by=("tinh-1",))
    shown = made.signed("grant", "sign", out, "--parent", made.office, "--yes", by=("tinh-2",))
    assert "loa-1: vn/92/31528/c01" in shown and "can be posted" in shown
    outside = ["assign", "make", table, "vn/92/31639", "--parent", made.office, "--out", out]
    assert "not below" in made.signed(*outside, by=("tinh-1",), code=1)


def test_second_holder_reads_and_is_asked(made: Table) -> None:
    out = made.room / "asked.json"
    words = ["grant", "make", "vn/92", "--holder", "Ban", "--verb", "schedule", "--key", made.public["xa"]]
    made.signed(*words, "--out", out, by=("root-1",))
    before = out.read_bytes()
    shown = made.signed("grant", "sign", out, by=("root-2",), code=1, first="n\n")
    today = f"{local_datetime(read_grant(read_envelope(out)).not_before):%d/%m/%Y}"
    said = ("Grant for: Ban", "Where: vn/92", "broadcast programmes", f"Valid from {today}", "Nothing was signed")
    assert all(one in shown for one in said)
    assert out.read_bytes() == before
    assert "can be posted" in made.signed("grant", "sign", out, "--yes", by=("root-2",))


def test_key_at_the_wrong_table(made: Table) -> None:
    """It is turned away before a passphrase is asked for, and nothing is written."""
    before = made.station.read_bytes()
    signing = ["grant", "sign", made.station, "--parent", made.office, "--yes"]
    assert "This key does not count here" in made.signed(*signing, by=("root-1",), code=1)
    assert "This key does not count here" in made.signed(*signing, by=("tinh-1", "xa"), code=1)
    assert made.station.read_bytes() == before
    out = made.room / "mixed.json"
    words = ["grant", "make", "vn/92", "--holder", "Ban", "--verb", "schedule", "--key", made.public["xa"]]
    assert "does not count" in made.signed(*words, "--out", out, by=("root-1", "tinh-1"), code=1)
    assert not out.exists()


def test_emergency_is_not_signed_at_the_table(made: Table) -> None:
    path = made.room / "stop.json"
    path.write_bytes(sign(Kind.STOP, stop(), [C1]).pack())
    before = path.read_bytes()
    assert "in the signer" in made.signed("grant", "sign", path, "--yes", by=("root-1",), code=1)
    assert path.read_bytes() == before


def test_renewal_in_other_hands(made: Table) -> None:
    out = made.room / "other.json"
    words = ["grant", "renew", made.station, "--parent", made.office, "--out", out]
    keys = ["--key", made.room / "keys" / "tinh-1.json", "--key", made.public["xa"]]
    made.signed(*words, *keys, by=("tinh-1", "tinh-2"))
    after = read_grant(read_envelope(out))
    assert after.keys == (made.public["tinh-1"], made.public["xa"]) and after.serial == 2


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", "device,place\n", "device,place\nLoa 1,vn/92/1\n", "device,place\nloa-1,VN\n", '[{"x": 1}]'],
)
def test_table_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "loa.csv"
    path.write_text(text)
    with pytest.raises(ProvisioningError):
        read_placements(path)


def test_operator_lives_ninety_days(made: Table) -> None:
    words = ["grant", "make", "vn/92", "--holder", "Tỉnh", "--verb", "schedule", "--key", made.public["xa"]]
    assert "at most 90 days" in made.signed(*words, "--days", "91", by=("root-1",), code=1)


def test_denial_is_no_grant_to_renew(made: Table) -> None:
    path = made.room / "word.json"
    path.write_text(json.dumps({"x": 1}))
    assert "not a signed document" in made.signed("grant", "renew", path, by=("root-1",), code=1)
