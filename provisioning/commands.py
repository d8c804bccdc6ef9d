"""The commands a technician types, put together. What is not asked for is not imported: a command starts at once."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Final

import typer

_MODULES: Final = {
    "keys": "keys_cli",
    "anchor": "anchor_cli",
    "grant": "grant_cli",
    "deny": "grant_cli",
    "assign": "grant_cli",
    "post": "post_cli",
    "root": "root_cli",
    "device-ca": "device_ca_cli",
    "enrol": "enrol_cli",
    "check": "check_cli",
    "bundle": "bundle_cli",
    "logs": "logs_cli",
    "log": "log_cli",
    "demo": "demo_cli",
}


def app_for(words: Sequence[str]) -> typer.Typer:
    """The program for what was typed: the first word's commands, or all of them when it is none of ours."""
    made = typer.Typer(no_args_is_help=True, add_completion=False)
    # Without a callback, typer takes a lone command for the whole program and its name for an argument.
    made.callback(help="Keys, grants, enrolment and sticks, for the technician.")(lambda: None)
    first = words[0] if words else ""
    for module in [_MODULES[first]] if first in _MODULES else dict.fromkeys(_MODULES.values()):
        import_module(f"provisioning.{module}").add_to(made)
    return made
