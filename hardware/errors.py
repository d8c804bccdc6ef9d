"""What can go wrong with hardware, as whoever uses it sees it; a driver's own error is chained behind."""

from __future__ import annotations


class PortError(Exception):
    """A port could not do what it was asked; the message says what, the cause is chained."""


class MediaError(PortError):
    """A file or stream is not sound that can be decoded, or it broke off."""


class CardLostError(PortError):
    """The sound card, tuner or another part of the board is not there (any more)."""


class BoardError(PortError):
    """The board's description cannot be used; the message says what to write instead."""
