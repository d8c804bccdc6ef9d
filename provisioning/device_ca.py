"""The province's device CA: a key that says which box may connect, and nothing else.

Nothing that is believed depends on it: a taken CA lets boxes connect and lets somebody answer them, and what they are
told is still refused unless an operator signed it. Keys are ECDSA on P-256: that curve every TLS library, secure
element and broker accepts, which Ed25519 is not yet. Certificates of devices have no end (9999-12-31, RFC 5280
4.1.2.5; IEEE 802.1AR does the same): a box is shut out by taking its fingerprint off the controller, not by a date
that silences a village when nobody looks.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from protocol import codec
from protocol.codec import bounded
from protocol.errors import DocumentError
from protocol.topics import device_id
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from signer.disk import write_durably
from signer.key_store import stretch

SERVER_NAME: Final = "controller.loalang.internal"
"""What every controller and broker of a province is called in its certificate; `edge.adapters.tls` asks for it."""
COST: Final = 2**17
"""scrypt's n: 128 MiB and half a second, at a ceremony that is held once."""
_COST_MAX: Final = 2**20
_BEGAN: Final = datetime(2020, 1, 1, tzinfo=UTC)
_NEVER_ENDS: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_FILE_BYTES_MAX: Final = 16 * 1024
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
PrivateKey = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Sealed:
    """The key file: PKCS#8 under AES-256-GCM with a key that scrypt makes of the passphrase; bytes as hexadecimal."""

    salt: str
    nonce: str
    sealed: str = field(metadata=bounded(chars_max=1000))
    cost: int = field(default=COST, metadata=bounded(low=2, high=_COST_MAX))
    schema: int = field(default=1, metadata=bounded(low=1, high=1))


@dataclass(frozen=True, slots=True)
class DeviceCa:
    """An opened CA; close the ceremony soon."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)

    def sign_device(self, request: bytes) -> bytes:
        """A device's certificate for its request, both PEM; only its public key and its name are taken over.

        Raises:
            ProvisioningError: it is no request of a device, or not signed by the key it names.
        """
        try:
            asked = x509.load_pem_x509_csr(request)
            genuine = asked.is_signature_valid
        except (ValueError, TypeError) as error:
            raise ProvisioningError(_("This is not a certificate request: %(why)s") % {"why": error}) from error
        if not genuine:
            raise ProvisioningError(_("The request is not signed by the key that it names."))
        made = self._made(asked.public_key(), name_of(asked.subject), until=_NEVER_ENDS)
        return pem_of(self._signed(made, [ExtendedKeyUsageOID.CLIENT_AUTH]))

    def server_certificate(self, names: Iterable[str] = (), *, days: int = 730) -> tuple[bytes, bytes]:
        """Certificate and key, PEM, of a controller or broker; devices ask for `SERVER_NAME` only.

        Args:
            names: further host names and addresses, for tools that check them.
            days: for tools that look at dates; devices do not.
        """
        key = new_key()
        until = datetime.now(UTC) + timedelta(days=days)
        made = self._made(key.public_key(), SERVER_NAME, until=until)
        made = made.add_extension(x509.SubjectAlternativeName(_general_names((SERVER_NAME, *names))), critical=False)
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return pem_of(self._signed(made, uses)), key_pem(key)

    def revocation_list(self, certificates: Sequence[bytes]) -> bytes:
        """For an outside broker: the certificates, PEM, that it shall refuse. The controller needs none."""
        now = datetime.now(UTC)
        made = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        made = made.last_update(now - timedelta(days=1)).next_update(_NEVER_ENDS)
        for one in certificates:
            serial = read_certificate(one).serial_number
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            made = made.add_revoked_certificate(revoked)
        return made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _made(self, public: object, name: str, *, until: datetime) -> x509.CertificateBuilder:
        if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
            raise ProvisioningError(_("The key is not an ECDSA key on the curve P-256."))
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = _begun(name, public, until=until).issuer_name(self.certificate.subject)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        return made.add_extension(issuer, critical=False).add_extension(_usage(sign=True), critical=True)

    def _signed(self, made: x509.CertificateBuilder, uses: list[x509.ObjectIdentifier]) -> x509.Certificate:
        return made.add_extension(x509.ExtendedKeyUsage(uses), critical=False).sign(self.key, hashes.SHA256())


def make_ca(directory: Path, *, name: str, passphrase: str, cost: int = COST) -> DeviceCa:
    """Makes the CA: `ca.pem` for everybody, `ca-key.json` sealed with the passphrase.

    Raises:
        ProvisioningError: there is one already.
    """
    if (directory / "ca-key.json").exists():
        words = _("There is already a device CA in %(path)s; a second one would shut out every device of the first.")
        raise ProvisioningError(words % {"path": directory})
    key = new_key()
    made = _begun(name, key.public_key(), until=_NEVER_ENDS).issuer_name(_name(name))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = made.add_extension(_usage(sign=False), critical=True).sign(key, hashes.SHA256())
    write_durably(directory / "ca-key.json", seal_ca_key(key, passphrase, cost=cost))
    write_durably(directory / "ca.pem", pem_of(certificate), mode=0o644)
    return DeviceCa(certificate, key)


def open_ca(directory: Path, passphrase: str) -> DeviceCa:
    """Opens the CA.

    Raises:
        ProvisioningError: it is not there, damaged, or sealed with another passphrase.
    """
    try:
        sealed = codec.decode(_Sealed, (directory / "ca-key.json").read_bytes(), bytes_max=_FILE_BYTES_MAX)
        certificate = read_certificate((directory / "ca.pem").read_bytes())
        secret = AESGCM(stretch(passphrase, bytes.fromhex(sealed.salt), sealed.cost)).decrypt(
            bytes.fromhex(sealed.nonce), bytes.fromhex(sealed.sealed), None
        )
    except InvalidTag as error:
        raise ProvisioningError(_("The passphrase is not right. Please type it again.")) from error
    except (OSError, ValueError, DocumentError) as error:
        words = _("The device CA in %(path)s cannot be read: %(why)s")
        raise ProvisioningError(words % {"path": directory, "why": error}) from error
    key = serialization.load_der_private_key(secret, None)
    if not isinstance(key, PrivateKey) or key.public_key() != certificate.public_key():
        raise ProvisioningError(_("The key of the device CA does not belong to its certificate."))
    return DeviceCa(certificate, key)


def read_certificate(data: bytes) -> x509.Certificate:
    """Reads one certificate. Raises ProvisioningError."""
    try:
        return x509.load_pem_x509_certificate(data[:_FILE_BYTES_MAX])
    except ValueError as error:
        raise ProvisioningError(_("This is not a certificate: %(why)s") % {"why": error}) from error


def check_device_certificate(certificate: x509.Certificate, ca: x509.Certificate, *, device: str) -> None:
    """Whether a certificate is this device's, from this CA. Raises ProvisioningError."""
    try:
        certificate.verify_directly_issued_by(ca)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise ProvisioningError(_("The certificate does not come from this device CA.")) from error
    found = name_of(certificate.subject)
    if found != device:
        words = _("The certificate is for %(found)s, not for %(device)s.")
        raise ProvisioningError(words % {"found": found, "device": device})


def name_of(subject: x509.Name) -> str:
    """The device id that a subject names. Raises ProvisioningError."""
    names = [str(one.value) for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        return device_id(names[0] if len(names) == 1 else "")
    except ValueError as error:
        raise ProvisioningError(_("The subject does not name a device: %(why)s") % {"why": error}) from error


def fingerprint(certificate: x509.Certificate) -> str:
    """What the controller registers: SHA-256 of the certificate, hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def new_key() -> PrivateKey:
    """A fresh key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: PrivateKey) -> bytes:
    """A private key in the clear, for a program that starts with nobody there."""
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def pem_of(certificate: x509.Certificate) -> bytes:
    """A certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _begun(name: str, public: ec.EllipticCurvePublicKey, *, until: datetime) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder().subject_name(_name(name)).public_key(public)
    # The day of issue would be one more clock that has to be right.
    made = made.serial_number(x509.random_serial_number()).not_valid_before(_BEGAN).not_valid_after(until)
    return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, sign: bool) -> x509.KeyUsage:
    """An end's own key signs handshakes; the CA's signs certificates and lists."""
    return x509.KeyUsage(
        digital_signature=sign,
        key_cert_sign=not sign,
        crl_sign=not sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(names: Iterable[str]) -> list[x509.GeneralName]:
    made: dict[str, x509.GeneralName] = {}
    for name in names:
        try:
            made[name] = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            if not _HOST.fullmatch(name):
                raise ProvisioningError(_("%(name)s is not a host name.") % {"name": name}) from None
            made[name] = x509.DNSName(name)
    return list(made.values())


def seal_ca_key(key: PrivateKey, passphrase: str, *, cost: int = COST) -> bytes:
    """The content of `ca-key.json`."""
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain)
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(stretch(passphrase, salt, cost)).encrypt(nonce, secret, None)
    return codec.encode(_Sealed(salt.hex(), nonce.hex(), sealed.hex(), cost))
