"""Reads what a controller hands over and refuses whatever could not be obeyed or should not be signed.

Nothing but the payload's own bytes is believed: kind, scope, numbers and times are read from them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from protocol import codec
from protocol.alert import Alert, Cancel
from protocol.audible_config import AudibleConfig
from protocol.bulletin import MediaRef
from protocol.document import ALERT_KINDS, KINDS, Kind
from protocol.envelope import SIGNATURE_BYTES, Envelope, Signature, payload_type, unpack
from protocol.errors import DocumentError
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX
from protocol.schedule import Programme, Schedule
from signer.config import SignerConfig, origin
from signer.errors import RequestRefusedError
from signer.i18n import gettext as _
from signer.signable import Signable

FORM_BYTES_MAX: Final = 4 * ENVELOPE_BYTES_MAX
AT_ONCE: Final = ALERT_KINDS | {Kind.CANCEL, Kind.STOP, Kind.LIVE_SESSION}
"""Kinds that act the moment they arrive."""
_URL_CHARS_MAX: Final = 1000
_HIDDEN: Final = re.compile("[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\\\\(?:u00|[bf])")
"""Direction marks and control characters, but for line ends and tabs. Khmer needs U+200B, so that one stays."""


@dataclass(frozen=True, slots=True)
class Review:
    """A document that waits for someone to look at it.

    Attributes:
        envelope: exactly the bytes to be signed, with the signatures that are there already.
        cancel: for an alert, its prepared cancel; None for anything else.
        return_url: page of the controller to go back to, or None.
        carried: it came as a file, and leaves as one.
    """

    kind: Kind
    document: Signable
    envelope: Envelope
    cancel: Envelope | None
    return_url: str | None
    carried: bool = False


def read_hand_over(form: Mapping[str, object], *, config: SignerConfig, carried: bool = False) -> Review:
    """Reads the form a controller's page posts.

    Raises:
        RequestRefusedError: with the reason in words.
    """
    _check_controller(_text(form, "controller"), config)
    kind = _kind(_text(form, "kind"))
    envelope = _envelope(form, kind)
    document = _document(kind, envelope.payload)
    _check_size(kind, envelope)
    cancel = _cancel_of(document, _optional(form, "cancel")) if isinstance(document, Alert) else None
    return Review(kind, document, envelope, cancel, _return_url(form, config), carried)


def _text(form: Mapping[str, object], name: str) -> str:
    value = form.get(name, "")
    if not isinstance(value, str):
        raise RequestRefusedError(_("The controller handed over something this program cannot read."))
    return value


def _check_controller(text: str, config: SignerConfig) -> None:
    try:
        known = origin(text) in config.controller_origins
    except ValueError:
        known = False
    if not known:
        words = _("This signer works for %(own)s only, and this request came from %(other)s.")
        raise RequestRefusedError(words % {"own": config.controller, "other": text[:100]})


def _kind(name: str) -> Kind:
    try:
        kind = Kind(name)
    except ValueError as error:
        words = _("This program does not know documents of the kind “%(kind)s”. Please update it.")
        raise RequestRefusedError(words % {"kind": name[:40]}) from error
    if KINDS[kind].verb is None and kind is not Kind.GRANT:
        raise RequestRefusedError(_("Documents of the kind “%(kind)s” are not signed here.") % {"kind": kind})
    return kind


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestRefusedError(_("The controller handed over something this program cannot read.")) from error


def _optional(form: Mapping[str, object], name: str) -> Envelope | None:
    text = _text(form, name)
    if not text:
        return None
    try:
        return unpack(_bytes(text))
    except DocumentError as error:
        raise RequestRefusedError(_("The earlier signatures could not be read: %(why)s") % {"why": error}) from error


def _envelope(form: Mapping[str, object], kind: Kind) -> Envelope:
    bare = Envelope(payload_type(kind), _bytes(_text(form, "payload")), ())
    begun = _optional(form, "envelope")
    if begun is None:
        return bare
    if begun.digest != bare.digest:
        raise RequestRefusedError(_("The earlier signatures belong to another document. Nothing was signed."))
    return begun


def _document(kind: Kind, payload: bytes) -> Signable:
    rule = KINDS[kind]
    try:
        document = codec.decode(rule.document, payload, bytes_max=rule.bytes_max)
    except DocumentError as error:
        raise RequestRefusedError(_("The document could not be read: %(why)s") % {"why": error}) from error
    assert isinstance(document, Signable), "kinds without a verb, but for grants, were refused"
    _check_shown(document, payload)
    return document


def _check_shown(document: Signable, payload: bytes) -> None:
    """What cannot be shown is not signed: fields that only a newer device knows, letters that hide or turn others."""
    if codec.encode(document) != payload:
        raise RequestRefusedError(
            _("The document holds something that this program does not know and cannot show. Please update it.")
        )
    if _HIDDEN.search(payload.decode().replace("\\\\", "")):
        raise RequestRefusedError(
            _("The document holds hidden characters that change how it looks. Nothing was signed.")
        )


def _check_size(kind: Kind, envelope: Envelope) -> None:
    room = Signature("0" * 16, bytes(SIGNATURE_BYTES))
    fullest = Envelope(envelope.payload_type, envelope.payload, (*envelope.signatures, room))
    size_bytes_max = ALERT_ENVELOPE_BYTES_MAX if kind in AT_ONCE else ENVELOPE_BYTES_MAX
    if len(fullest.pack()) > size_bytes_max:
        raise RequestRefusedError(
            _("The document is larger than the loudspeakers accept. Please choose fewer places or a shorter text.")
        )


def _cancel_of(alert: Alert, begun: Envelope | None) -> Envelope:
    """The prepared cancel: a second signer makes the same bytes, so both signatures stand under one document."""
    cancel = Cancel(alert.scope, alert.id, issued=alert.issued, expires=alert.expires, targets=alert.targets)
    bare = Envelope(payload_type(Kind.CANCEL), codec.encode(cancel), ())
    return begun if begun is not None and begun.digest == bare.digest else bare


def _return_url(form: Mapping[str, object], config: SignerConfig) -> str | None:
    text = _text(form, "return_url")
    if not text:
        return None
    try:
        fits = len(text) <= _URL_CHARS_MAX and text.isprintable() and origin(text) in config.controller_origins
    except ValueError:
        fits = False
    if not fits:
        raise RequestRefusedError(_("The page to return to does not belong to the controller. Nothing was signed."))
    return text


def media_of(document: Signable) -> tuple[MediaRef, ...]:
    """All recorded sound a document names, each once."""
    if isinstance(document, Schedule):
        found = [item.content.media for item in document.items if isinstance(item.content, Programme)]
    elif isinstance(document, AudibleConfig):
        found = [message.media for message in document.messages]
    elif isinstance(document, Alert):
        found = [part.media for part in document.parts if part.media is not None]
    else:
        found = []
    return tuple(dict.fromkeys(found))
