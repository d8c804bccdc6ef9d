"""Stored messages behind the buttons at the device: a person is there, so they stand where the microphone stands.

What a button plays is signed and was fetched and verified ahead; the button only chooses. So it works without
network and without an hour. It plays once, from its beginning. The talk button and everything above end it for good:
whoever pressed the button hears that and can press again, and nobody wants a message that comes by itself later,
after an alert of half an hour or when the lights come back. That is why a power cut ends it, too.
"""

from __future__ import annotations

from typing import Final

from edge.core.at_hand import StoredSpeech
from edge.core.events import MessagePressed
from edge.core.output import MessageOutput, Rung
from edge.core.state import AgentState
from edge.core.timeline import config_of
from edge.core.turn import Turn
from protocol.audible_config import StoredMessage, in_any
from protocol.clock import ClockTrust, MonoMs, Now

REFUSED_MS: Final = 60_000
"""So long a press in vain is told as a fault: the lamp at the device answers who pressed."""
PANEL: Final = "panel"
"""Who stopped it, when a hand at the device did."""
SLACK_MS: Final = 10_000
"""A message that the sound path never reported as ended is over so long after its length."""


def press(turn: Turn, event: MessagePressed) -> None:
    """Begins a message, replaces another one, or ends the one that plays."""
    playing = turn.state.message
    if playing is not None and playing.number == event.number:
        end(turn)
        return
    found = _message(turn.state, event.number)
    if found is None:
        _refuse(turn, f"no message is signed for button {event.number}")
    elif found.media.digest not in turn.state.media:
        _refuse(turn, f"message {event.number} is not stored yet: {found.title}")
    else:
        document = _document(turn.state)
        speech = StoredSpeech(found.number, found.media, document, turn.now.mono)
        turn.change(message=speech, message_refused=None)


def _message(state: AgentState, number: int) -> StoredMessage | None:
    return next((one for one in config_of(state).messages if one.number == number), None)


def _document(state: AgentState) -> str:
    """Digest of the configuration in force; what it holds was found in it."""
    return next(one.digest for one in state.trust.documents.values() if one.document is state.force.config)


def _refuse(turn: Turn, why: str) -> None:
    turn.change(message=None, message_refused=(why, turn.now.mono))


def end(turn: Turn) -> None:
    """It is over, whether it was heard to its end or not."""
    turn.change(message=None)


def watch(turn: Turn) -> None:
    """Ends what was withdrawn or outlived its length, and forgets refusals that are old."""
    playing, refused = turn.state.message, turn.state.message_refused
    if playing is not None:
        found = _message(turn.state, playing.number)
        withdrawn = found is None or found.media != playing.media
        if withdrawn or turn.now.mono >= over_at(playing):
            end(turn)
    if refused is not None and turn.now.mono >= forgotten_at(refused):
        turn.change(message_refused=None)


def over_at(playing: StoredSpeech) -> MonoMs:
    """When it must have come to its end."""
    return MonoMs(playing.since + playing.media.duration_ms + SLACK_MS)


def forgotten_at(refused: tuple[str, MonoMs]) -> MonoMs:
    """When a press in vain is no fault any more."""
    return MonoMs(refused[1] + REFUSED_MS)


def output_of(state: AgentState, now: Now) -> MessageOutput | None:
    """The message that plays; quiet hours bind it as they bind the microphone."""
    playing, config = state.message, config_of(state)
    quiet = now.clock > ClockTrust.NONE and in_any(config.quiet_hours, now.wall)
    if playing is None or (quiet and not config.microphone_in_quiet_hours):
        return None
    loss = config.priority_attenuation_cdb
    return MessageOutput(Rung.MICROPHONE, playing.document, playing.number, playing.media, playing.since, loss)
