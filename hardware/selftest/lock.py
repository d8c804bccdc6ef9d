"""Whether an agent is running on this board: it holds a lock in its data directory, and so does a self-test.

Two of them on one sound card, one relay and one UART would each find the other's doing and call it a fault.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AgentRunningError(Exception):
    """Somebody holds the lock."""


@contextmanager
def alone_on(data: Path | None) -> Iterator[None]:
    """Holds the agent's lock, so that it does not start in the middle either.

    The file is never made here: made by the administrator, the agent's own user could not open it.

    Args:
        data: the agent's data directory; None when there is no agent on this machine.

    Raises:
        AgentRunningError: an agent, or another self-test, is running.
    """
    try:
        lock = None if data is None else (data / "lock").open("rb")
    except OSError:  # no agent was ever here, or it is not ours to see
        lock = None
    if lock is None:
        yield
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AgentRunningError(str(data)) from error
        yield
