"""A device CA for tests, with keys and certificates as enrolment leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from provisioning import device_ca
from provisioning.device_ca import DeviceCa, fingerprint, make_ca, read_certificate
from provisioning.device_key import make_request, take_certificate

COST = 2
"""A sealed key is not what these tests are about."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Files of one device.

    Attributes:
        fingerprint: what the controller registers.
    """

    ca: Path
    certificate: Path
    key: Path
    fingerprint: str

    @property
    def text(self) -> str:
        """The certificate as a technician brings it."""
        return self.certificate.read_text()


@dataclass(frozen=True, slots=True)
class Authority:
    """A province's CA.

    Attributes:
        server: what the controller is given with `--device-tls`.
    """

    directory: Path
    ca: DeviceCa

    @property
    def server(self) -> Path:
        return self.directory / "server"

    def serve(self, *, days: int = 730) -> Path:
        """Makes the server's files anew."""
        certificate, key = self.ca.server_certificate(days=days)
        self.server.mkdir(exist_ok=True)
        (self.server / "ca.pem").write_bytes(device_ca.pem_of(self.ca.certificate))
        (self.server / "server.pem").write_bytes(certificate)
        (self.server / "server-key.pem").write_bytes(key)
        return self.server

    def enrol(self, device: str, *, box: str = "box") -> Papers:
        """A key made on a box, and its certificate."""
        directory = self.directory / box / device
        request = make_request(directory, device)
        certificate = self.ca.sign_device(request.read_bytes())
        ca = device_ca.pem_of(self.ca.certificate)
        made = take_certificate(directory, device=device, certificate=certificate, ca=ca)
        return Papers(directory / "ca.pem", directory / "device.pem", directory / "device-key.pem", made)


def authority(directory: Path) -> Authority:
    """A CA with a server certificate."""
    made = Authority(directory, make_ca(directory / "ca", name="Thử", passphrase="p", cost=COST))
    made.serve()
    return made


def expired(ca: DeviceCa, certificate: Path) -> None:
    """Makes a certificate one that ended yesterday."""
    old = read_certificate(certificate.read_bytes())
    made = x509.CertificateBuilder(
        issuer_name=old.issuer,
        subject_name=old.subject,
        public_key=old.public_key(),
        serial_number=old.serial_number,
        not_valid_before=datetime(2020, 1, 1, tzinfo=UTC),
        not_valid_after=datetime.now(UTC) - timedelta(days=1),
        extensions=list(old.extensions),
    )
    certificate.write_bytes(device_ca.pem_of(made.sign(ca.key, hashes.SHA256())))
    assert fingerprint(read_certificate(certificate.read_bytes()))
