"""What can be wrong with bytes from outside, as values rather than surprises.

`DocumentError` says that bytes are not a document of ours; `Refusal` names why a well-formed one is not obeyed.
The names travel in receipts, so they are part of the wire format.
"""

from __future__ import annotations

from enum import StrEnum


class ProtocolError(Exception):
    """Root of this package's errors."""


class DocumentError(ProtocolError):
    """Bytes from outside do not form what they claim to be.

    Attributes:
        refusal: which check failed, in the order of trust.md.
        detail: where in the document, for a developer; never shown alone to an officer.
    """

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(f"{refusal.value}: {detail}")
        self.refusal = refusal
        self.detail = detail


class Refusal(StrEnum):
    """Why a document was not obeyed, in the order in which a device checks (trust.md)."""

    TOO_LARGE = "too_large"
    MALFORMED_ENVELOPE = "malformed_envelope"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    THRESHOLD_NOT_MET = "threshold_not_met"
    MALFORMED_DOCUMENT = "malformed_document"
    OUT_OF_SCOPE = "out_of_scope"
    VERB_NOT_GRANTED = "verb_not_granted"
    GRANT_WITHOUT_PARENT = "grant_without_parent"
    GRANT_WIDER_THAN_PARENT = "grant_wider_than_parent"
    GRANT_DENIED = "grant_denied"
    GRANT_EXPIRED = "grant_expired"
    GRANT_RENEWED = "grant_renewed"
    CLOCK_NOT_TRUSTED = "clock_not_trusted"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    LIFETIME_TOO_LONG = "lifetime_too_long"
    OLDER_VERSION = "older_version"
    REPLAYED = "replayed"
    CANCELLED_BEFORE = "cancelled_before"
    WRONG_NONCE = "wrong_nonce"
    TOO_MANY = "too_many"
    NOT_STORED = "not_stored"
    NOT_BY_STICK = "not_by_stick"
