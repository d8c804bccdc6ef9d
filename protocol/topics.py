"""MQTT topics. Documents are addressed to units, not to devices: one publish reaches every device of a unit."""

from __future__ import annotations

import re
from typing import Final

from protocol.report import AsRun, Fault, Receipt, Report, Status
from protocol.units import UnitPath, ancestors, unit_path

ROOT: Final = "loalang/v1"
DOC: Final = "doc"
ALERT: Final = "alert"
LIVE: Final = "live"
DOWN: Final = (DOC, ALERT, LIVE)
_UP: Final[dict[type[Report], str]] = {
    Status: "status",
    Receipt: "receipt",
    AsRun: "as_run",
    Fault: "fault",
}
ONLINE: Final = "online"
STORED: Final = "stored"
_DEVICE: Final = re.compile(r"[a-z0-9-]{1,64}")


def device_id(text: str) -> str:
    """Checks a device id from outside; raises ValueError."""
    if not _DEVICE.fullmatch(text):
        raise ValueError("a device id is 1 to 64 of a-z, 0-9 and -")
    return text


def unit_topic(unit: UnitPath, leaf: str) -> str:
    """Topic of a unit: `doc` (retained parcel), `alert` (one envelope) or `live` (segments)."""
    return f"{ROOT}/u/{unit}/{leaf}"


def unit_of_topic(topic: str) -> tuple[UnitPath, str] | None:
    """The unit and the leaf of a topic made by `unit_topic`, or None."""
    head, _, leaf = topic.rpartition("/")
    path = head.removeprefix(f"{ROOT}/u/")
    if path == head or leaf not in DOWN:
        return None
    try:
        return unit_path(path), leaf
    except ValueError:
        return None


def down_topics(place: UnitPath) -> tuple[str, ...]:
    """All topics a device listens to: every leaf of itself and of each unit above."""
    return tuple(unit_topic(unit, leaf) for unit in ancestors(place) for leaf in DOWN)


def up_topic(device: str, report: type[Report]) -> str:
    """Topic on which a device sends a kind of report."""
    return f"{ROOT}/d/{device}/up/{_UP[report]}"


def online_topic(device: str) -> str:
    """Retained `1` while connected; the broker writes `0` as the device's will."""
    return f"{ROOT}/d/{device}/up/{ONLINE}"


def stored_topic(device: str) -> str:
    """Topic on which the controller tells a device which of its reports are stored."""
    return f"{ROOT}/d/{device}/{STORED}"


def up_of_topic(topic: str) -> tuple[str, type[Report] | None] | None:
    """Device and report kind of an upward topic; the kind is None for `online`; None for any other topic."""
    parts = topic.split("/")
    if len(parts) != 6 or parts[:3] != [*ROOT.split("/"), "d"] or parts[4] != "up":
        return None
    if not _DEVICE.fullmatch(parts[3]):
        return None
    if parts[5] == ONLINE:
        return parts[3], None
    for kind, leaf in _UP.items():
        if leaf == parts[5]:
            return parts[3], kind
    return None
