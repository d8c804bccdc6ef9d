"""What the controller is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one controller.

    Attributes:
        data: directory of database, media, keys and anchor; made when missing.
        broker: `mqtt://host:port` of an outside broker, or None for the embedded one on `mqtt_port`.
        public_url: how browsers and devices reach us, when that is not host and port.
        signer_url, panel_url: origins of the operator's signer and of the simulated devices' panel.
        hosts: further host names accepted in the Host header.
        device_tls: directory with `ca.pem`, `server.pem`, `server-key.pem`: devices come by mutual TLS, to the broker
            and to `device_port`. None: they come plainly with a token, which is allowed on this machine only.
        device_host: where devices are listened to, when that is not `host`.
        security_contact: where strangers report faults of this installation, for `/.well-known/security.txt`.
        device_url: how devices reach us, when that is not `device_host` and `device_port`.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8080
    mqtt_port: int = 18830
    broker: str | None = None
    public_url: str | None = None
    signer_url: str = "http://127.0.0.1:8090"
    panel_url: str | None = None
    hosts: tuple[str, ...] = ()
    device_tls: Path | None = None
    device_host: str | None = None
    device_port: int = 8443
    device_url: str | None = None
    security_contact: str | None = None
    demo: bool = False
    session_idle_ms: int = 12 * 3_600_000
    session_check_ms: int = 60_000
    upload_bytes_max: int = 64 * 1024 * 1024
    form_bytes_max: int = 1024 * 1024

    @property
    def origin(self) -> str:
        """Scheme, host and port as a browser writes them."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def listening_host(self) -> str:
        """Where devices come in, by HTTP and to the embedded broker."""
        return self.device_host or self.host

    @property
    def device_origin(self) -> str:
        """What enrolment writes into a device."""
        usual = f"https://{self.listening_host}:{self.device_port}" if self.device_tls else self.origin
        return (self.device_url or usual).rstrip("/")

    @property
    def plainly_abroad(self) -> bool:
        """Whether tokens of devices would go over a network in the clear."""
        return self.device_tls is None and not (_is_here(self.host) and _is_here(self.listening_host))

    @property
    def database_url(self) -> str:
        """The database inside the data directory."""
        return f"sqlite+aiosqlite:///{self.data / 'controller.db'}"

    @property
    def host_names(self) -> frozenset[str]:
        """Names under which we answer: anything else may be a rebound DNS name."""
        own = urlsplit(self.origin).hostname or self.host
        return frozenset({own, self.host, "127.0.0.1", "localhost", "::1", *self.hosts})


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
