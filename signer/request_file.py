"""A request that came as a file: what a controller's page saved, or what a first signer saved for the second."""

from __future__ import annotations

import base64
from typing import Any, Final

from protocol.codec import parse_json
from protocol.document import ALERT_KINDS, Kind
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.limits import SIGNATURES_MAX
from signer.config import SignerConfig
from signer.errors import RequestRefusedError
from signer.i18n import gettext as _
from signer.review import FORM_BYTES_MAX, Review, read_hand_over

_FIELDS: Final = ("controller", "kind", "payload", "envelope", "cancel", "return_url")


def read_request_file(data: bytes, *, config: SignerConfig) -> Review:
    """Reads the file; whoever carried it is believed no more than a page would be.

    Raises:
        RequestRefusedError: with the reason in words.
    """
    try:
        saved = parse_json(data, bytes_max=FORM_BYTES_MAX)
    except DocumentError as error:
        raise _no_request() from error
    if not isinstance(saved, dict):
        raise _no_request()
    form = _of_envelopes(saved, config) if "envelopes" in saved else {name: saved.get(name, "") for name in _FIELDS}
    # There is no page to go back to: the signed file goes the way the request came.
    return read_hand_over({**form, "return_url": ""}, config=config, carried=True)


def _no_request() -> RequestRefusedError:
    return RequestRefusedError(_("This file is not a request for a signature."))


def _of_envelopes(saved: dict[str, Any], config: SignerConfig) -> dict[str, str]:
    packed = saved["envelopes"]
    if not isinstance(packed, list) or not 1 <= len(packed) <= SIGNATURES_MAX:
        raise _no_request()
    try:
        envelopes = [unpack(str(one).encode("utf-8", "replace")) for one in packed]
    except DocumentError as error:
        raise RequestRefusedError(_("The earlier signatures could not be read: %(why)s") % {"why": error}) from error
    first, *others = envelopes
    form = {
        "controller": config.controller,
        "kind": first.kind,
        "payload": base64.b64encode(first.payload).decode(),
        "envelope": _packed(first),
    }
    if first.kind in ALERT_KINDS and others and others[0].kind == Kind.CANCEL:
        return form | {"cancel": _packed(others[0])}
    if others:
        raise RequestRefusedError(_("This file holds several documents. Please sign them one by one."))
    return form


def _packed(envelope: Envelope) -> str:
    return base64.b64encode(envelope.pack()).decode()
