"""The commands for sticks as they are typed: made, looked at, and the log that comes back."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.sealed import seal
from provisioning.cli import app
from tests.protocol.people import ANCHOR, C1, P1, P2, alert, grant, grant_envelope
from tests.provisioning.sticks import SOUND, schedule

PASSPHRASE = "sen-lua-trau-47"


def run(*words: str | Path, typed: str = "", code: int = 0, language: str = "en") -> Result:
    asked = [str(word) for word in words]
    result = CliRunner().invoke(app, asked, input=typed, env={"LOALANG_LANG": language, "COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """An anchor, and what a signer saved today."""
    wall = WallMs(time.time_ns() // 1_000_000)
    rights = grant_envelope(grant(not_before=WallMs(wall - DAY_MS), expires=WallMs(wall + DAY_MS)))
    speech = sign(Kind.SCHEDULE, schedule(SOUND, issued=wall, expires=WallMs(wall + DAY_MS)), [C1])
    now = sign(Kind.ALERT, alert(), [C1])
    packed = [one.pack().decode() for one in (speech, rights, now)]
    (tmp_path / "saved.json").write_text(json.dumps({"envelopes": packed}))
    (tmp_path / "anchor.json").write_bytes(codec.encode(ANCHOR))
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "tin.ogg").write_bytes(SOUND)
    return tmp_path


def make(files: Path, *more: str, code: int = 0) -> str:
    words = (
        "bundle",
        "make",
        "--envelopes",
        files / "saved.json",
        "--media",
        files / "media",
        "--out",
        files / "usb",
    )
    return run(*words, "--place", "vn/92/31498", *more, code=code).output


def test_made_and_looked_at(files: Path) -> None:
    told = make(files)
    assert "needs 0.0 MB" in told
    assert "1 documents were left out" in told
    shown = run("bundle", "inspect", files / "usb", "--anchor", files / "anchor.json").output
    assert "All is well" in shown
    assert shown.count("takes it") == 2
    assert "Signatures were not checked" in run("bundle", "inspect", files / "usb").output
    for_other = run("bundle", "inspect", files / "usb", "--anchor", files / "anchor.json", "--place", "vn/92/1/c1")
    assert for_other.output.count("does not concern this place") == 2


def test_wrong_stick_has_an_exit_code(files: Path) -> None:
    make(files)
    (files / "usb" / "evil\x1b[31m\u202etxt.exe").write_bytes(b"MZ")
    next((files / "usb" / "media").iterdir()).unlink()
    shown = run("bundle", "inspect", files / "usb", "--anchor", files / "anchor.json", code=1).output
    assert "\\x1b[31m\\u202etxt.exe" in shown
    assert "\x1b[31m" not in shown
    assert "missing" in shown
    found = json.loads(run("bundle", "inspect", files / "usb", "--json", code=1).output)
    assert (found["ok"], found["listing"]["odd"][0]["why"]) == (False, "executable")
    assert [one["kind"] for one in found["documents"]] == ["grant", "schedule"]


def test_refusal_is_a_sentence(files: Path) -> None:
    make(files)
    strangers = replace(ANCHOR, keys=(P1.public, P2.public))
    (files / "anchor.json").write_bytes(codec.encode(strangers))
    words = ("bundle", "inspect", files / "usb", "--anchor", files / "anchor.json")
    assert "No authority on this stick" in run(*words, code=1).output
    assert "Không có thẩm quyền nào" in run(*words, code=1, language="vi").output


def test_source_is_one_of_two(files: Path) -> None:
    assert "Name either" in run("bundle", "make", "--out", files / "usb", code=1).output
    assert "at most" in make(files, "--size-max", "1", "--root", str(big(files)), code=1)
    assert not (files / "usb").exists()


def big(files: Path) -> Path:
    (files / "root").mkdir()
    with (files / "root" / "agent.whl").open("wb") as file:
        file.truncate(2_000_000)
    return files / "root"


@pytest.mark.slow
def test_log_that_came_back(tmp_path: Path) -> None:
    """Sealing a key takes a tenth of a second on purpose."""
    key = tmp_path / "log-key.json"
    shown = run("logs", "key", "--out", key, typed=f"{PASSPHRASE}\n{PASSPHRASE}\n").output
    public = json.loads(key.read_text())["log_key"]
    assert public in shown
    log = tmp_path / "dev-1-2026-11-23.sealed"
    pieces = seal([b'["report","t",{}]\n'], recipient=public, label=b'{"device":"dev-1"}')
    log.write_bytes(b"".join(pieces))
    words = ("logs", "open", log, "--key", key, "--out", tmp_path / "out")
    assert "1 reports" in run(*words, typed=f"{PASSPHRASE}\n").output
    assert "not right" in run(*words, typed="sai\n", code=1).output


@pytest.mark.slow
def test_anchor_names_the_log_key(tmp_path: Path) -> None:
    words = ("anchor", "make", "vn/92", "--threshold", "1", "--key", C1.public, "--freshness-key", C1.public)
    out = tmp_path / "anchor.json"
    key = run("logs", "key", "--out", tmp_path / "k.json", typed=f"{PASSPHRASE}\n{PASSPHRASE}\n").output.split()[-1]
    run(*words, "--log-key", key, "--out", out)
    assert json.loads(out.read_text())["log_key"] == key
    assert "log key" in run(*words, "--log-key", "00" * 32, "--out", out, "--force", code=1).output
