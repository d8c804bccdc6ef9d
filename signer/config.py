"""What the signer is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from protocol import codec
from protocol.errors import DocumentError
from signer.card import CardSlot
from signer.errors import SetupError
from signer.i18n import gettext as _

_LOOPBACK = ("127.0.0.1", "localhost")


SETTINGS: Final = "signer.json"
_SETTINGS_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """The file `signer.json` of the signer's directory.

    Attributes:
        cards: see `SignerConfig.cards`.
    """

    cards: tuple[CardSlot, ...] = field(default=(), metadata=codec.bounded(count_max=8))
    schema: int = field(default=1, metadata=codec.bounded(low=1, high=1))


def load_settings(data: Path) -> Settings:
    """Reads the settings; without a file everything is as usual.

    Raises:
        SetupError: the file is damaged.
    """
    try:
        with (data / SETTINGS).open("rb") as file:
            return codec.decode(Settings, file.read(_SETTINGS_BYTES_MAX + 1), bytes_max=_SETTINGS_BYTES_MAX)
    except FileNotFoundError:
        return Settings()
    except (OSError, DocumentError) as error:
        words = _("The settings file %(name)s cannot be read: %(why)s")
        raise SetupError(words % {"name": SETTINGS, "why": error}) from error


@dataclass(frozen=True, slots=True)
class SignerConfig:
    """Settings of one signer.

    Attributes:
        data: directory of keys, grants, anchor, places and of what was signed.
        controller: origin of the controller whose documents it signs.
        cards: smartcards whose keys sign here, besides the sealed files.
        demo: says on every page that these keys belong to made-up people.
    """

    data: Path
    controller: str = "http://127.0.0.1:8080"
    host: str = "127.0.0.1"
    port: int = 8090
    demo: bool = False
    cards: tuple[CardSlot, ...] = ()

    @property
    def controller_origins(self) -> frozenset[str]:
        """Origins a browser may call the controller by: on one machine it has two names."""
        own = origin(self.controller)
        parts = urlsplit(own)
        if parts.hostname not in _LOOPBACK:
            return frozenset({own})
        port = "" if parts.port is None else f":{parts.port}"
        return frozenset(f"{parts.scheme}://{name}{port}" for name in _LOOPBACK)


def origin(url: str) -> str:
    """Scheme, host and port of an address.

    Raises:
        ValueError: not an http or https address, or one with a user in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or "\\" in url:
        raise ValueError("not an http address")
    port = "" if parts.port is None else f":{parts.port}"
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}{port}"


def data_directory(data: Path) -> Path:
    """The signer's own directory: in the demo it lies inside the shared one."""
    below = data / "signer"
    return below if below.is_dir() else data
