"""Keys as a technician names them, and passphrases that change."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from protocol.grants import read_anchor
from protocol.keys import SigningKey
from protocol.sealed import LogKey
from provisioning.cli import app
from provisioning.device_ca import make_ca, open_ca
from provisioning.errors import ProvisioningError
from provisioning.log_key import open_log_key, read_log_key, write_log_key
from provisioning.public_half import log_half, signing_half
from signer.errors import WrongPassphraseError
from signer.key_store import KeyStore, read_sealed, seal, unseal
from tests.provisioning.test_cli import PASSPHRASE, run

KEY = SigningKey.from_seed(b"k" * 32)
OTHER = SigningKey.from_seed(b"o" * 32)
RENEWED = "tre-xanh-47-la"


def key_file(folder: Path, name: str = "lan") -> Path:
    return KeyStore(folder).put(seal(KEY, name=name, holder="Lan", passphrase=PASSPHRASE, cost=2))


def log_file(folder: Path) -> Path:
    path = folder / "log-key.json"
    write_log_key(path, LogKey.from_secret(b"l" * 32), PASSPHRASE, cost=2)
    return path


def test_public_half_in_every_form(tmp_path: Path) -> None:
    printed, bare = tmp_path / "neo-1.txt", tmp_path / "freshness.txt"
    printed.write_text(f"Đã ghi khóa vào keys/neo-1.json. Phần công khai: {KEY.public}\nSố hiệu: 0123456789abcdef\n")
    bare.write_text(f"{KEY.public}\n")
    for named in (KEY.public, str(key_file(tmp_path)), str(printed), str(bare)):
        assert signing_half(named) == KEY.public
    log = log_file(tmp_path)
    assert log_half(str(log)) == log_half(read_log_key(log).log_key)


def test_what_is_no_key(tmp_path: Path) -> None:
    two, lists = tmp_path / "two.txt", tmp_path / "list.json"
    two.write_text(f"{KEY.public}\n{OTHER.public}\n")
    lists.write_text("[1]")
    for named in ("neo-1", "", str(tmp_path), str(two), str(lists), str(log_file(tmp_path)), KEY.public[1:]):
        with pytest.raises(ProvisioningError, match="Give a key file, or the 64 digits that keys make printed"):
            signing_half(named)
    with pytest.raises(ProvisioningError, match="log key"):
        log_half(str(key_file(tmp_path)))


def test_anchor_of_files_and_two_controllers(tmp_path: Path) -> None:
    key, out = key_file(tmp_path), tmp_path / "anchor.json"
    fresh = ("--freshness-key", KEY.public, "--freshness-key", OTHER.public)
    words = ("anchor", "make", "vn/92", "--threshold", "1", "--key", key, *fresh, "--out", out)
    shown = run(*words, "--log-key", log_file(tmp_path)).output
    made = read_anchor(out.read_bytes())
    assert made.keys == (KEY.public,) and made.freshness_keys == (KEY.public, OTHER.public) and made.log_key
    assert read_sealed(key).key_id in shown and OTHER.public in shown
    before = out.read_bytes()
    assert "is there already" in run(*words, code=1).output
    assert out.read_bytes() == before
    run(*words, "--force")
    assert read_anchor(out.read_bytes()).log_key is None


@pytest.mark.slow
def test_passphrase_of_every_kind_of_key(tmp_path: Path) -> None:
    key, log = key_file(tmp_path), log_file(tmp_path)
    make_ca(tmp_path / "ca", name="CA", passphrase=PASSPHRASE, cost=2)
    for path in (key, log, tmp_path / "ca" / "ca-key.json"):
        shown = run("keys", "passphrase", path, typed=f"{PASSPHRASE}\n{RENEWED}\nx\n{RENEWED}\n{RENEWED}\n").output
        assert "not the same" in shown and "Copies made before" in shown
        assert path.stat().st_mode & 0o777 == 0o600
    assert unseal(read_sealed(key), RENEWED).public == KEY.public
    assert read_sealed(key).holder == "Lan"
    assert open_log_key(read_log_key(log), RENEWED).secret() == b"l" * 32
    assert open_ca(tmp_path / "ca", RENEWED)
    with pytest.raises(WrongPassphraseError):
        unseal(read_sealed(key), PASSPHRASE)


@pytest.mark.slow
def test_passphrase_stays_when_something_is_wrong(tmp_path: Path) -> None:
    key = key_file(tmp_path)
    before = key.read_bytes()
    assert "not right" in run("keys", "passphrase", key, typed="sai\n", code=1).output
    assert "at least ten" in run("keys", "passphrase", key, typed=f"{PASSPHRASE}\nx\nx\n", code=1).output
    assert key.read_bytes() == before
    key.write_text("{}")
    assert "is no key file" in run("keys", "passphrase", key, code=1).output


@pytest.mark.slow
def test_script_answers_by_its_environment(tmp_path: Path) -> None:
    key = key_file(tmp_path)
    known = {"LOALANG_LANG": "en", "COLUMNS": "200", "LOALANG_PASSPHRASE": PASSPHRASE}
    words = ["grant", "make", "vn/92", "--holder", "x", "--verb", "stop", "--key", KEY.public]
    words += ["--anchor", str(tmp_path / "anchor.json"), "--out", str(tmp_path / "grant.json")]
    anchor = ("--threshold", "1", "--key", key, "--freshness-key", KEY.public, "--out", tmp_path / "anchor.json")
    run("anchor", "make", "vn/92", *anchor)
    done = CliRunner().invoke(app, [*words, "--sign-with", str(key)], env=known)
    assert done.exit_code == 0, done.output
    renewed = CliRunner().invoke(
        app, ["keys", "passphrase", str(key)], env=known | {"LOALANG_NEW_PASSPHRASE": RENEWED}
    )
    assert renewed.exit_code == 0 and unseal(read_sealed(key), RENEWED)


@pytest.mark.slow
def test_questions_are_vietnamese_and_not_in_the_output(tmp_path: Path) -> None:
    words = [["keys", "make", "lan", "--holder", "Lan", "--directory", str(tmp_path)]]
    words += [["device-ca", "init", "--directory", str(tmp_path / "ca")]]
    for asked in words:
        done = CliRunner().invoke(app, asked, input=f"{PASSPHRASE}\n{PASSPHRASE}\n", env={"LOALANG_LANG": "vi"})
        assert done.exit_code == 0, done.output
        assert "Mật khẩu mới cho" in done.stderr and "Gõ lại" in done.stderr
        assert "Passphrase" not in done.output and "Mật khẩu" not in done.stdout
    public = json.loads((tmp_path / "lan.json").read_text())["public"]
    assert public and (tmp_path / "ca" / "ca.pem").exists()


@pytest.mark.slow
def test_program_tells_what_it_is_for() -> None:
    words = [sys.executable, "-m", "provisioning", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "Keys, grants, enrolment and sticks, for the technician." in done.stdout
    for name in ("keys", "anchor", "grant", "deny", "assign", "root", "device-ca", "enrol", "logs"):
        assert f" {name} " in done.stdout
