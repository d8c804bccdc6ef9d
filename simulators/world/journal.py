"""A journal brought from a device: its core is told again what it was told there, and shows what it decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge.adapters.event_codec import decode_line
from edge.config import AGENT_VERSION, ConfigError, pinned_anchor, read_config
from edge.core.agent import initial, step
from edge.core.effects import PublishReport, SaveState, SwitchOutput
from edge.core.events import Booted, Event, LevelMeasured, Ticked
from edge.core.state import AgentState, Identity
from protocol.clock import Now
from simulators.world.story import hour

_LINES_MAX: Final = 2_000_000
_DULL: Final = (Ticked, LevelMeasured)


class JournalError(Exception):
    """It cannot be told again, and why."""


def retell(path: Path, device: Path | None) -> Iterator[str]:
    """One line for each event that led to something, from the first start in the journal on.

    Args:
        path: a file of the journal, or its directory.
        device: `device.json` with its anchor: without it no signature can be judged.

    Raises:
        JournalError: no device file, or no start in the journal.
    """
    if device is None:
        raise JournalError("--device names the device.json of this device: without its anchor nothing can be judged")
    try:
        config = read_config(device)
        identity = Identity(config.device, config.place, pinned_anchor(config), AGENT_VERSION, config.heartbeat_ms)
    except ConfigError as error:
        raise JournalError(str(error)) from error
    state: AgentState | None = None
    for now, event in read_journal(path):
        if isinstance(event, Booted):
            state = initial(identity)
        if state is None:
            continue
        decision = step(state, event, now)
        state = decision.state
        told = [_words(one) for one in decision.effects if isinstance(one, SwitchOutput | PublishReport | SaveState)]
        if told or not isinstance(event, _DULL):
            yield f"{hour(now.wall)}  {type(event).__name__:<20} {', '.join(told)}".rstrip()
    if state is None:
        raise JournalError("there is no start in it: bring the whole journal directory")


def read_journal(path: Path) -> Iterator[tuple[Now, Event]]:
    """The lines that are whole, oldest file first."""
    files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
    count = 0
    for file in files:
        with file.open("rb") as lines:
            for line in lines:
                count += 1
                if count > _LINES_MAX:
                    return
                try:
                    yield decode_line(line)
                except ValueError:
                    continue


def _words(effect: SwitchOutput | PublishReport | SaveState) -> str:
    if isinstance(effect, SwitchOutput):
        return f"→ {effect.output.key[:60]}"
    if isinstance(effect, SaveState):
        return "saved"
    return f"tells {type(effect.report).__name__.lower()}"
