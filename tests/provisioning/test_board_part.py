"""A device is enrolled with its board: judged as the device will judge it, named as the image names it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.config import ConfigError, read_config
from edge.machine import load
from hardware.board_file import read_board
from protocol import codec
from provisioning.board_part import DRIVERS
from provisioning.cli import app
from tests.protocol.people import ANCHOR

ROOT = Path(__file__).parents[2]
STANDARD = ROOT / "hardware/image/boards/cheapest.json"


def enrol(folder: Path, *more: str, code: int = 0, new: bool = True) -> str:
    (folder / "anchor.json").write_bytes(codec.encode(ANCHOR))
    words = ["enrol", "--out", str(folder / "device"), *more]
    if new:
        words += [
            "--device",
            "loa-1",
            "--place",
            "vn/92/31498/c07",
            "--token",
            "t",
            "--anchor",
            f"{folder}/anchor.json",
        ]
    done = CliRunner().invoke(app, words, env={"LOALANG_LANG": "en", "COLUMNS": "300"})
    assert done.exit_code == code, done.output
    return done.output


def test_agent_starts_with_what_enrolment_wrote(tmp_path: Path) -> None:
    assert "The board was copied" in enrol(tmp_path, "--board", str(STANDARD))
    config = read_config(tmp_path / "device/device.json")
    assert (config.board, config.player) == (DRIVERS["board"], DRIVERS["player"])
    assert read_board(Path(config.board_file)).variant == "cheapest"
    for what in ("board", "player"):
        assert callable(load(DRIVERS[what], what=what))


def test_board_is_added_to_a_device_enrolled_before(tmp_path: Path) -> None:
    enrol(tmp_path)
    path = tmp_path / "device/device.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"usb": "/media"}))
    enrol(tmp_path, "--board", str(STANDARD), new=False)
    read = json.loads(path.read_text())
    assert read["usb"] == "/media" and read["board_file"] == "board.json"
    assert path.stat().st_mode & 0o077 == 0


def test_board_that_cannot_be_is_told_before_anything_is_written(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"amplifer": {"pin": 17}}')
    told = enrol(tmp_path, "--board", str(wrong), code=1)
    assert "did you mean 'amplifier'?" in told
    assert not (tmp_path / "device").exists()


def test_board_with_nothing_on_it_is_remarked(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("{}")
    assert "nothing but a sound card" in enrol(tmp_path, "--board", f"{tmp_path}/empty.json")


def test_board_without_a_device_is_refused(tmp_path: Path) -> None:
    assert "device.json is not a device file" in enrol(tmp_path, "--board", str(STANDARD), new=False, code=1)


def test_agent_without_a_board_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="enrol --board"):
        load("", what="board")


def test_image_names_the_same_drivers() -> None:
    script = (ROOT / "hardware/image/storage/identity").read_text()
    named = dict(re.findall(r'known\["(board|player)"\] = .*? or "(.+?)"', script))
    assert named == {name: DRIVERS[name] for name in ("board", "player")}
