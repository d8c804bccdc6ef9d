"""The device file: what it may say, and what is said about a wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge import config as module
from edge.config import AGENT_VERSION, ConfigError, pinned_anchor, read_config
from edge.core.state import Identity
from edge.machine import load
from protocol import codec
from protocol.units import UnitPath
from tests.edge.core.office import ANCHOR

GOOD: dict[str, Any] = {
    "device": "dev-c07",
    "place": "vn/92/31498/c07",
    "controller_url": "http://127.0.0.1:8080",
    "mqtt_host": "127.0.0.1",
    "mqtt_port": 18830,
    "token": "secret",
}


def write(directory: Path, **changes: Any) -> Path:
    path = directory / "device.json"
    path.write_text(json.dumps({key: value for key, value in (GOOD | changes).items() if value is not None}))
    return path


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, usb="stick", data="/var/lib/loalang"))
    assert (config.anchor, config.usb) == (str(tmp_path / "anchor.json"), str(tmp_path / "stick"))
    assert config.data == "/var/lib/loalang"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mqtt_hots": "x"}, "did you mean 'mqtt_host'?"),
        ({"zzz": 1}, "Known are: device,"),
        ({"token": None}, "token is missing"),
        ({"mqtt_port": "1883"}, "mqtt_port is not a whole number"),
        ({"mqtt_port": 70_000}, "mqtt_port is not within 1 and 65535"),
        ({"place": "VN/92"}, "not a segment of a unit path"),
        ({"device": "Máy 7"}, "a device id is"),
        ({"controller_url": "127.0.0.1:8080"}, "begins with http"),
        ({"token": ""}, "not empty"),
        ({"ca": "ca.pem"}, "ca, certificate and key go together"),
        ({"ca": "a", "certificate": "b", "key": "c"}, "controller_url begins with https://"),
        ({"mqtt_host": "10.0.0.7"}, "in the clear"),
        ({"controller_url": "http://loa.example.vn"}, "in the clear"),
        ({"heartbeat_ms": 1}, "heartbeat_ms is not within"),
    ],
)
def test_wrong_setting_is_named(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("?", r"\?")):
        read_config(write(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "device.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"device\.json"):
        read_config(tmp_path / "device.json")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Enrolment writes this file"):
        read_config(tmp_path / "device.json")


def test_anchor_is_read(tmp_path: Path) -> None:
    (tmp_path / "anchor.json").write_bytes(codec.encode(ANCHOR))
    assert pinned_anchor(read_config(write(tmp_path))) == ANCHOR


def test_anchor_must_reach_the_place(tmp_path: Path) -> None:
    (tmp_path / "anchor.json").write_bytes(codec.encode(ANCHOR))
    with pytest.raises(ConfigError, match="does not cover"):
        pinned_anchor(read_config(write(tmp_path, place="vn/79/1/c01")))


@pytest.mark.parametrize("content", [None, b"{}", b"5f" * 32])
def test_bad_anchor_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "anchor.json").write_bytes(content)
    with pytest.raises(ConfigError, match="Enrol again"):
        pinned_anchor(read_config(write(tmp_path)))


def test_every_setting_is_described() -> None:
    assert module.__doc__ is not None
    for name in module.AgentConfig.__dataclass_fields__:
        assert name in module.__doc__


def test_version_is_the_packages() -> None:
    setup = (Path(module.__file__).parents[1] / "setup.cfg").read_text()
    assert f"version = {AGENT_VERSION}\n" in setup
    assert Identity("d", UnitPath("vn"), ANCHOR).agent_version == AGENT_VERSION


@pytest.mark.parametrize("name", ["", "edge.config", "no.such:thing", "edge.config:nothing"])
def test_unknown_board_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match="board"):
        load(name, what="board")


def test_named_board_is_loaded() -> None:
    assert load("simulators.machine:make_player", what="player")() is not None
