"""A source that gives no more while a second or two of it are still held: the next sound is got ready now.

The sound path notices it and goes on from what it holds; the ladder chooses what follows, and the hand-over leaves
no gap. When nothing follows, the rest sounds to its end. When the source gives sound again before that, nothing was
missed, and nothing happened.
"""

from __future__ import annotations

from edge.core import live, relays
from edge.core.events import SoundFailing, SoundRecovered
from edge.core.output import LiveOutput, StreamOutput
from edge.core.turn import Turn


def failing(turn: Turn, event: SoundFailing) -> None:
    """The source of what sounds gives no more."""
    output = turn.state.sound.output
    if event.key != output.key:
        return
    if isinstance(output, StreamOutput):
        relays.rest(turn, event.key)
    elif isinstance(output, LiveOutput):
        live.fall_silent(turn, output.session_id)


def recovered(turn: Turn, event: SoundRecovered) -> None:
    """It gives sound again; a sound that has been replaced already comes back by its own rule."""
    output = turn.state.sound.output
    if event.key != output.key:
        return
    if isinstance(output, StreamOutput):
        relays.go_on(turn, event.key)
    elif isinstance(output, LiveOutput):
        live.go_on(turn, output.session_id)
