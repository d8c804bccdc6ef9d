"""Sets a card's own mixer to a fixed value whenever the card is opened.

How loud a village hears is written in signed documents and done on the samples. A mixer that somebody turned down, or
that came up at 30 % after a power cut, would make that a lie; so playback stands at 0 dB (the level at which what is
written is what comes out; some chips amplify beyond it and clip) or, without a scale in decibels, at 100 %.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from hardware.alsa_names import Direction

_CAPTURE_PERCENT: Final = 75
"""Room above a loud voice in most sticks; the voice chain does the rest."""
_DECIBEL_RANGE_MAX: Final = 20_000
"""Hundredths of a decibel: what lies beyond is a driver's way to say that it does not know."""

_log = logging.getLogger(__name__)


def set_mixer(control: str, direction: Direction, *, card_number: int, library: Any) -> bool:
    """Sets a control and takes its mute off.

    A control that is not there silences nobody: it is told on the log, and the card is used as it stands.

    Returns:
        Whether it stands where it should.
    """
    try:
        mixer = library.Mixer(control=control, cardindex=card_number)
    except library.ALSAAudioError as error:
        _log.warning("the mixer of card %s is left as it is: %s", card_number, error)
        return False
    try:
        _set(mixer, direction, library)
        _unmute(mixer, direction, library)
    except library.ALSAAudioError as error:
        _log.warning("the mixer control %s of card %s does not obey: %s", control, card_number, error)
        return False
    finally:
        mixer.close()
    return True


def _set(mixer: Any, direction: Direction, library: Any) -> None:
    if direction is Direction.CAPTURE:
        mixer.setvolume(_CAPTURE_PERCENT, pcmtype=library.PCM_CAPTURE)
        return
    # First without decibels: a control that has none ignores the second call and tells nobody.
    mixer.setvolume(100, pcmtype=library.PCM_PLAYBACK)
    lowest, highest = mixer.getrange(pcmtype=library.PCM_PLAYBACK, units=library.VOLUME_UNITS_DB)
    if -_DECIBEL_RANGE_MAX <= lowest < 0 <= highest <= _DECIBEL_RANGE_MAX:
        mixer.setvolume(0, pcmtype=library.PCM_PLAYBACK, units=library.VOLUME_UNITS_DB)


def _unmute(mixer: Any, direction: Direction, library: Any) -> None:
    switches = mixer.switchcap()
    if direction is Direction.PLAYBACK and any("Capture" not in one for one in switches):
        mixer.setmute(0)
    if direction is Direction.CAPTURE and any("Capture" in one for one in switches):
        mixer.setrec(1)
