"""Certificates of a made-up province, good and old ones."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_NO_CHECK_TIME = 0x200000


@dataclass(frozen=True)
class Authority:
    name: x509.Name
    key: EllipticCurvePrivateKey


def _begun(subject: x509.Name, issuer: Authority, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.name)
    return builder.public_key(key.public_key()).serial_number(x509.random_serial_number())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def authority(path: Path) -> Authority:
    made = Authority(_name("the province"), generate_private_key(SECP256R1()))
    now = datetime.now(UTC)
    builder = _begun(made.name, made, made.key)
    builder = builder.not_valid_before(now - timedelta(days=3000)).not_valid_after(now + timedelta(days=3000))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    path.write_bytes(builder.sign(made.key, SHA256()).public_bytes(Encoding.PEM))
    return made


def certificate(issuer: Authority, path: Path, *, days: tuple[int, int]) -> None:
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    builder = _begun(_name("127.0.0.1"), issuer, key)
    builder = builder.not_valid_before(now + timedelta(days=days[0])).not_valid_after(now + timedelta(days=days[1]))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    made = builder.sign(issuer.key, SHA256()).public_bytes(Encoding.PEM)
    path.write_bytes(made + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def server_side(path: Path, *, clients_of: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    if clients_of is not None:
        context.load_verify_locations(clients_of)
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    return context
