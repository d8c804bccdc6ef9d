"""The commands as they are typed."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

from protocol.errors import Refusal
from protocol.grants import accept_grant, read_anchor
from protocol.keys import SigningKey
from provisioning.cli import app
from provisioning.grant_files import read_envelope
from tests.protocol.people import grant, grant_envelope
from tests.provisioning.conftest import Controller

FRESHNESS = SigningKey.from_seed(b"f" * 32).public
PASSPHRASE = "sen-lua-trau-47"

pytestmark = pytest.mark.slow
"""Sealing a key takes a tenth of a second on purpose."""


def run(*words: str | Path, typed: str = "", code: int = 0) -> Result:
    asked = [str(word) for word in words]
    result = CliRunner().invoke(app, asked, input=typed, env={"LOALANG_LANG": "en", "COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result


def make_key(directory: Path, name: str, holder: str = "Cô Lan") -> str:
    run("keys", "make", name, "--holder", holder, "--directory", directory, typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    public: str = json.loads((directory / f"{name}.json").read_text())["public"]
    return public


def test_ceremony_by_hand(tmp_path: Path) -> None:
    """Two anchor holders at two machines give one operator a grant, and a device is enrolled."""
    keys, anchor, paper = tmp_path / "keys", tmp_path / "anchor.json", tmp_path / "grant.json"
    roots = [make_key(keys, name) for name in ("root-1", "root-2")]
    operator = make_key(keys, "lan")
    run(
        "anchor", "make", "vn/92", "--key", roots[0], "--key", roots[1], "--freshness-key", FRESHNESS, "--out", anchor
    )
    grant = ["grant", "make", "vn/92/31498", "--holder", "Xã", "--verb", "schedule", "--key", operator]
    grant += ["--sign-with", str(keys / "root-1.json"), "--anchor", str(anchor), "--out", str(paper)]
    assert "still waits" in run(*grant, typed=f"{PASSPHRASE}\n").output
    signing = ["grant", "sign", paper, "--sign-with", keys / "root-2.json", "--anchor", anchor]
    assert "still waits" not in run(*signing, typed=f"y\n{PASSPHRASE}\n").output
    assert accept_grant(read_envelope(paper), read_anchor(anchor.read_bytes()), {}).grant.keys == (operator,)

    out = tmp_path / "device"
    words = ["enrol", "--device", "loa-1", "--place", "vn/92/31498/c07", "--anchor", anchor, "--out", out]
    run(*words, typed="token\n")
    assert json.loads((out / "device.json").read_text())["token"] == "token"
    assert (out / "anchor.json").read_bytes() == anchor.read_bytes()
    assert "✗" in run("check", out / "device.json", code=1).output
    assert "does not reach" in run(*words, "--place", "vn/9/1/c1", typed="token\n", code=1).output
    assert "device id" in run(*words, "--device", "Loa", typed="token\n", code=1).output


def test_grant_wider_than_the_anchor(tmp_path: Path) -> None:
    keys, anchor = tmp_path / "keys", tmp_path / "anchor.json"
    root = make_key(keys, "root")
    run("anchor", "make", "vn/92", "--key", root, "--threshold", "1", "--freshness-key", FRESHNESS, "--out", anchor)
    grant = ["grant", "make", "vn/9", "--holder", "Xã", "--verb", "schedule", "--key", root, "--anchor", str(anchor)]
    grant += ["--sign-with", str(keys / "root.json"), "--out", str(tmp_path / "grant.json")]
    assert Refusal.GRANT_WIDER_THAN_PARENT in run(*grant, typed=f"{PASSPHRASE}\n", code=1).output
    assert "passphrase is not right" in run(*grant, typed="sai\n", code=1).output
    assert not (tmp_path / "grant.json").exists()


def test_key_is_never_made_twice(tmp_path: Path) -> None:
    make_key(tmp_path, "lan")
    words = ("keys", "make", "lan", "--holder", "x", "--directory", tmp_path)
    assert "already a key" in run(*words, typed=f"{PASSPHRASE}\n{PASSPHRASE}\n", code=1).output
    assert "at least ten" in run(*words, typed="short\nshort\n", code=1).output


def test_demo_prints_its_passphrases(tmp_path: Path) -> None:
    places = tmp_path / "places.json"
    places.write_text('{"vn/92": {"name": "Cần Thơ"}, "vn/92/1": {"name": "Xã Một", "loudspeakers": 3}}')
    words = ("demo", "make", "--data", tmp_path / "data", "--places", places, "--freshness-key", FRESHNESS)
    shown = run(*words).output
    people = json.loads((tmp_path / "data" / "signer" / "demo.json").read_text())["people"]
    assert [one["key"] for one in people] == ["p1", "p2", "c1"]
    assert all(one["passphrase"] in shown for one in people)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    assert "not work" in run("post", tmp_path / "none.json", code=1).output
    assert "not work" in run("bundle", "make", tmp_path / "none.json", "--out", tmp_path, code=1).output


def test_stopped_controller_is_told_once(tmp_path: Path) -> None:
    paper = tmp_path / "grant.json"
    paper.write_bytes(grant_envelope(grant()).pack())
    done = subprocess.run(
        [sys.executable, "-m", "provisioning", "post", paper, "--controller", "http://127.0.0.1:1"],
        env={**os.environ, "LOALANG_LANG": "en", "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and "did not answer" in done.stderr


def test_command_loads_only_what_it_needs() -> None:
    asked = "import sys, provisioning.commands as c; c.app_for(['grant']); c.app_for(['keys']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    loaded = {*done.stdout.split()}
    assert "provisioning.keys_cli" in loaded and not loaded & {"aiohttp", "tuf", "cryptography.x509"}


def test_saved_file_of_a_signer_is_posted(tmp_path: Path, posted: list[str]) -> None:
    made = grant_envelope(grant())
    saved, plain = tmp_path / "saved.json", tmp_path / "grant.json"
    saved.write_text(json.dumps({"envelopes": [made.pack().decode()]}))
    plain.write_bytes(made.pack())
    shown = run("post", saved, plain, "--controller", posted[0]).output
    assert shown.count(made.digest[:12]) == 2


@pytest.fixture
def posted() -> Iterator[list[str]]:
    """A controller in a thread of its own, because the command runs its own loop."""
    ready, stop, origin = threading.Event(), asyncio.Event(), []

    async def serve() -> None:
        controller = Controller()
        app = web.Application()
        app.router.add_post("/api/v1/envelopes", controller.take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        origin.extend([f"http://127.0.0.1:{runner.addresses[0][1]}"])
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stop.wait()
        await runner.cleanup()

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield origin
    loops[0].call_soon_threadsafe(stop.set)
    thread.join()
