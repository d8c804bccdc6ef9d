"""What can go wrong, in words for the person at the keyboard."""

from __future__ import annotations


class ProvisioningError(Exception):
    """Root of this package's errors; the text says what to do."""


class UnreachableError(ProvisioningError):
    """The controller did not answer."""
