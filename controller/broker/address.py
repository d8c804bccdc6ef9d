"""Where the broker is, read from `mqtt://name:password@host:port`."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker and our account there. `tls` with `mqtts://`.

    Attributes:
        context: how we prove to be the controller, for a broker that demands certificates of our device CA.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)


def broker_address(text: str) -> BrokerAddress:
    """Reads an address.

    Raises:
        ValueError: it has another shape.
    """
    parts = urlsplit(text if "://" in text else f"mqtt://{text}")
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ValueError(f"a broker is written mqtt://host:port, not {text!r}")
    tls = parts.scheme == "mqtts"
    return BrokerAddress(
        host=parts.hostname,
        port=parts.port or (8883 if tls else 1883),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=tls,
    )
