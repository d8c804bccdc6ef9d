"""A device is enrolled with the root, and with the anchor that this root names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.config import read_config
from protocol import codec
from provisioning.cli import app
from provisioning.device_file import read_device
from provisioning.errors import ProvisioningError
from provisioning.pinned_root import names_anchor, read_root
from tests.edge.core.office import ANCHOR
from tests.provisioning.test_root import ALL, HOLDERS, Province, held

ANCHOR_BYTES = codec.encode(ANCHOR)


@pytest.fixture
def province(tmp_path: Path) -> Province:
    made = Province(tmp_path)
    made.root.begin(HOLDERS)
    made.sign(*ALL)
    made.publish("anchor.json", ANCHOR_BYTES)
    return made


def first_root(province: Province) -> Path:
    return province.folder / "root" / "metadata" / "1.root.json"


def enrol(province: Province, root: Path, *, code: int = 0) -> str:
    (province.folder / "anchor.json").write_bytes(ANCHOR_BYTES)
    words = ["enrol", "--device", "loa-1", "--place", "vn/92/31498/c07", "--token", "t", "--root", str(root)]
    words += ["--anchor", str(province.folder / "anchor.json"), "--out", str(province.folder / "device")]
    done = CliRunner().invoke(app, words, env={"LOALANG_LANG": "en", "COLUMNS": "200"})
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def test_root_is_pinned_beside_the_anchor(province: Province) -> None:
    told = enrol(province, first_root(province))
    assert "not checked" not in told and "No root" not in told
    written = province.folder / "device" / "device.json"
    assert json.loads(written.read_text())["root"] == read_device(written).root == "root.json"
    pinned = Path(read_config(written).root)
    assert pinned.read_bytes() == first_root(province).read_bytes()


def test_root_that_names_another_anchor(province: Province) -> None:
    province.publish("anchor.json", b"another anchor")
    assert "names another anchor" in enrol(province, first_root(province), code=1)
    assert not (province.folder / "device" / "device.json").exists()


def test_root_without_its_targets_is_pinned_with_a_warning(province: Province) -> None:
    alone = province.folder / "alone.json"
    alone.write_bytes(first_root(province).read_bytes())
    assert "was not checked" in enrol(province, alone)


def test_root_that_changed_hands_is_walked_to_its_end(province: Province) -> None:
    province.root.rotate({"root": held("n1", "n2", threshold=2), "targets": held("t3")})
    province.sign("r1", "r2", "n1", "n2", "t3", "s1", "s2")
    assert names_anchor(first_root(province), ANCHOR_BYTES)


def test_targets_of_somebody_else(province: Province) -> None:
    other = Province(province.folder / "other")
    other.root.begin(HOLDERS | {"targets": held("x")})
    other.sign(*ALL, "x")
    for path in (other.folder / "root" / "metadata").glob("*.targets.json"):
        (province.folder / "root" / "metadata" / "9.targets.json").write_bytes(path.read_bytes())
    with pytest.raises(ProvisioningError):
        names_anchor(first_root(province), ANCHOR_BYTES)


def test_targets_without_an_anchor_check_nothing(tmp_path: Path) -> None:
    bare = Province(tmp_path)
    bare.root.begin(HOLDERS)
    bare.sign(*ALL)
    assert not names_anchor(first_root(bare), ANCHOR_BYTES)


def test_file_that_is_no_root(province: Province) -> None:
    metadata = first_root(province).parent
    unsigned = json.loads(first_root(province).read_text())
    unsigned["signatures"] = unsigned["signatures"][:1]
    (metadata / "few.json").write_text(json.dumps(unsigned))
    for path in (metadata / "timestamp.json", metadata / "few.json", metadata / "none.json", Path(__file__)):
        with pytest.raises(ProvisioningError):
            read_root(path)
