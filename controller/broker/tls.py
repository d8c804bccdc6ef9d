"""TLS towards devices: a certificate of the province's device CA is demanded, and who showed which one is known.

Dates of certificates are not looked at: a certificate counts when its fingerprint is registered for the device, so a
date adds nothing but a province that goes quiet when this machine's clock fails.
"""

from __future__ import annotations

import hashlib
import ssl
from asyncio.sslproto import SSLProtocol
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

CA, CERTIFICATE, KEY = "ca.pem", "server.pem", "server-key.pem"
"""Names in the directory that `provisioning device-ca server-certificate` fills."""
_NO_CHECK_TIME: Final = 0x20_0000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for."""
_BUFFER_BYTES: Final = 32 * 1024
"""asyncio keeps 256 KiB for each TLS connection, two connections for each device; a TLS record has 16 KiB at most."""


class DeviceTlsError(Exception):
    """The directory with CA, certificate and key cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """A certificate of our CA whose key the peer has.

    Attributes:
        name: what its subject says: the device id.
        fingerprint: SHA-256 of the whole certificate, hexadecimal.
    """

    name: str
    fingerprint: str


def server_context(directory: Path) -> ssl.SSLContext:
    """Demands a certificate of our CA from whoever connects.

    Raises:
        DeviceTlsError: a file is missing or damaged.
    """
    SSLProtocol.max_size = min(SSLProtocol.max_size, _BUFFER_BYTES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # each connection shows its certificate anew, and costs no memory for a return
    return _filled(context, directory)


def client_context(directory: Path) -> ssl.SSLContext:
    """For the controller's own way to an outside broker with a certificate of the same CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the CA is ours alone, and makes certificates for servers only for us
    return _filled(context, directory)


def _filled(context: ssl.SSLContext, directory: Path) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(directory / CA)
        context.load_cert_chain(directory / CERTIFICATE, directory / KEY)
    except (OSError, ValueError) as error:
        words = (
            f"{directory} needs {CA}, {CERTIFICATE} and {KEY} ({error}). "
            "Make them with: python -m provisioning device-ca server-certificate"
        )
        raise DeviceTlsError(words) from error
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def peer_certificate(connection: ssl.SSLObject | ssl.SSLSocket | None) -> PeerCertificate | None:
    """Who is at the other end of a connection; None when it is plain."""
    data = connection.getpeercert(binary_form=True) if connection is not None else None
    if not data:
        return None
    names = x509.load_der_x509_certificate(data).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return PeerCertificate(str(names[0].value) if names else "", hashlib.sha256(data).hexdigest())


def read_device_certificate(text: str, directory: Path) -> PeerCertificate:
    """A certificate that a technician brings, when it is from our CA.

    Raises:
        ValueError: it is none, or from elsewhere.
    """
    certificate = x509.load_pem_x509_certificate(text.strip().encode("ascii", "replace"))
    ca = x509.load_pem_x509_certificate((directory / CA).read_bytes())
    try:
        certificate.verify_directly_issued_by(ca)
    except (InvalidSignature, TypeError) as error:
        raise ValueError("another CA") from error
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else ""
    return PeerCertificate(name, certificate.fingerprint(hashes.SHA256()).hex())
