"""A device has its machine to itself; a bench has not: what is measured goes before what else runs here.

What it starts does not: a player's child that loads its libraries must not keep the sound waiting.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

_NICE: Final = -15


def go_first(pid: int = 0) -> None:
    """Raises a process's priority where that is allowed.

    Args:
        pid: of a process that has just been started; 0 is this one.
    """
    with suppress(PermissionError, ProcessLookupError):
        os.sched_setscheduler(pid, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, pid, _NICE)
