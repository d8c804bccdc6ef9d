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
    def database_url(self) -> str:
        """The database inside the data directory."""
        return f"sqlite+aiosqlite:///{self.data / 'controller.db'}"

    @property
    def host_names(self) -> frozenset[str]:
        """Names under which we answer: anything else may be a rebound DNS name."""
        own = urlsplit(self.origin).hostname or self.host
        return frozenset({own, self.host, "127.0.0.1", "localhost", "::1", *self.hosts})
