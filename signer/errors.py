"""What can go wrong in the signer, told in the language of whoever reads it."""

from __future__ import annotations


class SignerError(Exception):
    """Root of this package's errors. The text is for people and already translated.

    Attributes:
        status: the HTTP status of the page that shows it.
    """

    status = 400


class RequestRefusedError(SignerError):
    """What was handed over cannot be signed."""


class ForbiddenError(SignerError):
    """The request came from somewhere it may not come from."""

    status = 403


class GoneError(SignerError):
    """The request was signed, has expired or never was."""

    status = 404


class KeyStoreError(SignerError):
    """A key file is missing, damaged or cannot be opened."""


class WrongPassphraseError(KeyStoreError):
    """The passphrase does not open the key."""

    status = 403


class TooManyTriesError(KeyStoreError):
    """Too many wrong passphrases in a short time."""

    status = 429


class SetupError(SignerError):
    """The signer's own files are missing or damaged; the text is for whoever installs it."""


class CardError(KeyStoreError):
    """The card is missing, locked or does not answer; nobody typed anything wrong."""

    status = 409


class UpdateError(SignerError):
    """What comes from the root could not be fetched or verified."""

    status = 502
