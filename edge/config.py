"""Who this device is and where everything is: read from `device.json`, which enrolment writes.

device, place       its id and its own place, such as vn/92/31498/c07
controller_url      http(s) address of the controller
mqtt_host, mqtt_port, token
                    the broker; the token is the password there and the bearer token at the controller. It serves a
                    controller on this machine only; elsewhere the certificate says who we are and it is empty
ca, certificate, key
                    paths: the province's device CA, and this device's certificate and key for both connections
anchor, data        paths; relative ones start at the file's directory
root                path of the root.json by which the root's later words are verified (TUF); empty: the anchor above
                    is all there is
heartbeat_ms        between two statuses when nothing changes
keepalive_s         a silent line is noticed within twice this
media_reserve_mb    room that programmes never use
usb                 directory where sticks are mounted; empty: no sticks
system_clock        whether the operating system's NTP and clock chip are asked for the time
board, player       what this agent runs on, as `module:function`; see `edge/machine.py`
board_file          path of `board.json`, which says what a real board is made of; empty: the one beside this file, if
                    there is one; see `hardware/board_file.py`
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from protocol import codec
from protocol.codec import bounded
from protocol.errors import DocumentError
from protocol.grants import Anchor, read_anchor
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from protocol.topics import device_id
from protocol.units import UnitPath, covers, unit_path

AGENT_VERSION: Final = "0.1.0"
_FILE_BYTES_MAX: Final = 64 * 1024
_PATH_CHARS_MAX: Final = 1000
_BOARD_FILE: Final = "board.json"


class ConfigError(Exception):
    """The device file cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The content of `device.json`. Paths are made absolute by `read_config`."""

    device: str
    place: UnitPath
    controller_url: str
    mqtt_host: str
    mqtt_port: int = field(metadata=bounded(low=1, high=65_535))
    token: str = field(repr=False)
    ca: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    certificate: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    key: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    anchor: str = field(default="anchor.json", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    root: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    data: str = field(default="data", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    heartbeat_ms: int = field(default=60_000, metadata=bounded(low=500, high=3_600_000))
    keepalive_s: int = field(default=30, metadata=bounded(low=1, high=600))
    media_reserve_mb: int = field(default=64, metadata=bounded(high=1_000_000))
    usb: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    system_clock: bool = True
    board: str = ""
    player: str = ""
    board_file: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))

    def __post_init__(self) -> None:
        device_id(self.device)
        unit_path(self.place)
        if urlsplit(self.controller_url).scheme not in ("http", "https"):
            raise ValueError("controller_url begins with http:// or https://")
        if not self.mqtt_host:
            raise ValueError("mqtt_host is not empty")
        self._check_line()

    def _check_line(self) -> None:
        url = urlsplit(self.controller_url)
        if any((self.ca, self.certificate, self.key)):
            if not all((self.ca, self.certificate, self.key)):
                raise ValueError("ca, certificate and key go together")
            if url.scheme != "https":
                raise ValueError("with a certificate, controller_url begins with https://")
        elif not self.token:
            raise ValueError("token is not empty unless there is a certificate")
        elif not (_is_here(url.hostname or "") and _is_here(self.mqtt_host)):
            raise ValueError("a token would go over the network in the clear; a device elsewhere needs a certificate")


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def read_config(path: Path) -> AgentConfig:
    """Reads a device file.

    Raises:
        ConfigError: it is missing, not JSON, has an unknown key, or a value that cannot be.
    """
    value = _json_object(path)
    known = [one.name for one in fields(AgentConfig)]
    for key in value:
        if key not in known:
            raise ConfigError(f"{path}: there is no setting {key!r}{_did_you_mean(key, known)}")
    try:
        config = codec.build(AgentConfig, _absolute(value, path.resolve().parent))
    except DocumentError as error:
        place = error.detail.removeprefix("$.").removeprefix("$: ")
        raise ConfigError(f"{path}: {place}. Correct it, or enrol the device again.") from error
    return config


def _json_object(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_FILE_BYTES_MAX))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Enrolment writes this file.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not JSON: {error}. Correct it, or enrol the device again.") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path} is not a JSON object with settings. Enrol the device again.")
    return value


def _did_you_mean(key: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else f". Known are: {', '.join(known)}."


def _absolute(value: dict[str, Any], directory: Path) -> dict[str, Any]:
    made = {"anchor": "anchor.json", "data": "data", **value}
    if not made.get("board_file") and (directory / _BOARD_FILE).exists():
        made["board_file"] = _BOARD_FILE
    for key in ("anchor", "root", "data", "usb", "ca", "certificate", "key", "board_file"):
        if isinstance(made.get(key), str) and made[key]:
            made[key] = str(directory / made[key])
    return made


def pinned_anchor(config: AgentConfig) -> Anchor:
    """The anchor that enrolment pinned.

    Raises:
        ConfigError: it is missing, damaged, or does not reach the device's place.
    """
    try:
        with Path(config.anchor).open("rb") as file:
            anchor = read_anchor(file.read(ALERT_ENVELOPE_BYTES_MAX + 1))
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"the anchor {config.anchor} cannot be read: {why}. Enrol again.") from error
    except DocumentError as error:
        raise ConfigError(f"{config.anchor} is not an anchor: {error.detail}. Enrol again.") from error
    if not covers(anchor.scope, config.place):
        raise ConfigError(f"the anchor is for {anchor.scope}, which does not cover {config.place}. Enrol again.")
    return anchor
