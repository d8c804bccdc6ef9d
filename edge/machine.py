"""What an agent runs on, named in its configuration and loaded late: the agent itself imports no driver.

A board is named `module:function`. The function takes the `AgentConfig`, is called inside the running event loop, and
returns an `edge.ports.Board`, whose `async close()`, if it has one, is called at the end; a player's function takes
nothing and returns an `edge.ports.Player`. On a real board, which `board.json` describes, and without hardware:

    "board": "edge.adapters.board:make_board", "player": "hardware.vlc_player:make_player"
    "board": "simulators.machine:make_board", "player": "simulators.machine:make_player"
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from edge.config import ConfigError


def load(name: str, *, what: str) -> Callable[..., Any]:
    """The function that makes a board or a player.

    Raises:
        ConfigError: there is none of that name.
    """
    if not name:
        raise ConfigError(
            f"device.json names no {what}: describe the box in board.json (examples: hardware/image/boards) and run "
            "`python -m provisioning enrol --board board.json --out FOLDER` on the folder of device.json; "
            "edge/machine.py tells how to run without hardware"
        )
    module, _, function = name.partition(":")
    if not module or not function:
        raise ConfigError(f"{what} is written module:function, not {name!r}; edge/machine.py tells more")
    try:
        made: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{what} {name!r} cannot be loaded: {error}") from error
    return made
