"""All targets by name, in groups that share imports: a group is one process of the coverage-guided fuzzer.

Modules are imported when they are asked for, so that atheris can instrument what they test.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from tests.fuzz.target import Target

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "protocol": ("envelope", "documents", "parcel", "reports", "names", "segment", "anchor", "authority"),
    "core": (
        "core_envelope",
        "core_parcel",
        "core_segment",
        "core_attestation",
        "core_radio",
        "core_registers",
        "core_store",
        "core_root",
    ),
    "device": (
        "http_answer",
        "mqtt_message",
        "journal_line",
        "device_file",
        "anchor_file",
        "stick",
    ),
    "card": ("state_database", "outbox_database", "mirror", "media_directory"),
    "office": ("hand_over", "signer_files", "technician", "json_body", "form_texts", "reports_in", "sealed_log"),
    "sound": ("container", "upload", "device_player", "live_packets"),
    "hardware": ("rds_lines", "rds_groups", "tuner_registers", "clock_registers"),
}
NAMES: Final = tuple(name for group in GROUPS.values() for name in group)


def group_of(name: str) -> str:
    """The group of a target."""
    return next(group for group, names in GROUPS.items() if name in names)


def targets_of(group: str) -> dict[str, Target]:
    """The targets of a group."""
    found: dict[str, Target] = import_module(f"tests.fuzz.{group}_targets").TARGETS
    assert tuple(found) == GROUPS[group], "the registry names what the modules hold"
    return found


def target(name: str) -> Target:
    """One target."""
    return targets_of(group_of(name))[name]
