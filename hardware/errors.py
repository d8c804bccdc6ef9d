"""What can go wrong with hardware, as whoever uses it sees it; a driver's own error is chained behind.

An error is an English sentence, which is what a log shows, and keeps the values in it apart: where a person reads it,
`hardware.i18n.worded` says it in that person's language.
"""

from __future__ import annotations


class PortError(Exception):
    """A port could not do what it was asked; the message says what, the cause is chained.

    Args:
        message: a sentence of the catalogue, with `%(name)s` where a value belongs.
        values: what stands there; may be an error or a `hardware.i18n.Phrase` in its turn.
    """

    def __init__(self, message: str = "", /, **values: object) -> None:
        super().__init__(message % values if values else message)
        self.message, self.values = message, values


class MediaError(PortError):
    """A file or stream is not sound that can be decoded, or it broke off."""


class CardLostError(PortError):
    """The sound card, tuner or another part of the board is not there (any more)."""


class BoardError(PortError):
    """The board's description cannot be used; the message says what to write instead."""
