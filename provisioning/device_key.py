"""The device's own key: made on the device, readable by the agent only, and never anywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from protocol.topics import device_id
from provisioning.device_ca import (
    PrivateKey,
    check_device_certificate,
    fingerprint,
    key_pem,
    new_key,
    pem_of,
    read_certificate,
)
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from signer.disk import write_durably

KEY: Final = "device-key.pem"
REQUEST: Final = "device.csr"
CERTIFICATE: Final = "device.pem"
CA: Final = "ca.pem"


def make_request(directory: Path, device: str) -> Path:
    """Makes the key, unless it is there, and a request that names the device; gives the request's path.

    Raises:
        ProvisioningError: a key is there that cannot be read.
    """
    key = _key(directory / KEY)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id(device))])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    write_durably(directory / REQUEST, request.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return directory / REQUEST


def take_certificate(directory: Path, *, device: str, certificate: bytes, ca: bytes) -> str:
    """Stores what the CA gave, beside the key it belongs to; gives its fingerprint for the controller.

    Raises:
        ProvisioningError: it is for another key, another device, or from another CA.
    """
    made, issuer = read_certificate(certificate), read_certificate(ca)
    check_device_certificate(made, issuer, device=device)
    if not (directory / KEY).exists():
        raise ProvisioningError(_("There is no key of the device here. Make the request on the device first."))
    if made.public_key() != _key(directory / KEY).public_key():
        raise ProvisioningError(_("The certificate belongs to another key, so to another box."))
    write_durably(directory / CA, pem_of(issuer), mode=0o644)
    write_durably(directory / CERTIFICATE, pem_of(made), mode=0o644)
    (directory / REQUEST).unlink(missing_ok=True)
    return fingerprint(made)


def _key(path: Path) -> PrivateKey:
    if not path.exists():
        key = new_key()
        write_durably(path, key_pem(key))
        return key
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        words = _("%(path)s cannot be read: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error}) from error
    if not isinstance(found, PrivateKey):
        raise ProvisioningError(_("The key is not an ECDSA key on the curve P-256."))
    return found
