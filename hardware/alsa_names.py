"""Which ALSA device a stable name means today.

The kernel numbers sound cards in the order in which they wake up, and gives two equal USB sticks the ids `Device` and
`Device_1` in that order too. What stays is what a stick is and where it is plugged in, so a board is described with

- `usb:<vid>:<pid>` the USB sound stick of this maker and product, four hexadecimal digits each (`lsusb` shows them);
- `usb:<vid>:<pid>:<path>` the one in this socket, such as `1-1.2`, when there are several of a kind;
- `card:<id>` the card with this id in /proc/asound/cards; fine for what is soldered on;
- anything else: an ALSA device, such as `default` or `plughw:CARD=Headphones`, which is taken as it is.

A name is looked up each time the device is opened, so a stick may come late, or come back under another number.
Sources: /proc/asound (`usbid`, `id`, `pcm0p`, `pcm0c`) and the links of /sys/class/sound, as the kernel documents
them in Documentation/sound/designs/procfile.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from hardware.errors import CardLostError
from hardware.i18n import N_

NO_CARD_NAME: Final = N_(
    "%(name)s names no sound card: usb:<vid>:<pid>[:<path>] or card:<id> does; lsusb and aplay -l show them"
)
_CARDS_MAX: Final = 32
"""As many as the kernel numbers (SNDRV_CARDS)."""
_TEXT_BYTES_MAX: Final = 256
_USB: Final = re.compile(r"usb:([0-9a-f]{4}):([0-9a-f]{4})(?::([0-9]+-[0-9]+(?:\.[0-9]+)*))?", re.IGNORECASE)
_CARD: Final = re.compile(r"card:([A-Za-z0-9_-]{1,15})")
_PORT: Final = re.compile(r"([0-9]+)-([0-9]+(?:\.[0-9]+)*):[0-9.]+")
_STREAM: Final = re.compile(r"pcm([0-9]{1,2})([pc])")


class Direction(StrEnum):
    """What a device is wanted for, as ALSA's file names say it."""

    PLAYBACK = "p"
    CAPTURE = "c"


@dataclass(frozen=True, slots=True)
class FoundCard:
    """A sound card of this machine.

    Attributes:
        number: its number today.
        card_id: its id today.
        usb: `vid:pid` of a USB card, else empty; `port` is the socket it is plugged into.
        playback, capture: the lowest device that can do it; None when none can.
    """

    number: int
    card_id: str
    usb: str = ""
    port: str = ""
    playback: int | None = None
    capture: int | None = None

    @property
    def stable_name(self) -> str:
        """How to write it down so that it is found again."""
        if not self.usb:
            return f"card:{self.card_id}"
        return f"usb:{self.usb}:{self.port}" if self.port else f"usb:{self.usb}"

    def device(self, direction: Direction) -> int | None:
        """Its device for a direction."""
        return self.playback if direction is Direction.PLAYBACK else self.capture


def is_name(name: str) -> bool:
    """Whether a name can mean a device at all: a stable id is whole, and anything else is for ALSA to know."""
    return not name.startswith(("usb", "card:")) or bool(_USB.fullmatch(name) or _CARD.fullmatch(name))


def resolve(name: str, direction: Direction, *, root: Path = Path("/")) -> str:
    """The ALSA device that a name means now.

    Args:
        root: under which /proc/asound and /sys/class/sound are looked for.

    Raises:
        CardLostError: no such card is there, or it cannot do what is wanted.
    """
    if not name.startswith(("usb:", "card:")):
        return name
    candidates = [card for card in cards(root=root) if _is_meant(name, card)]
    if not candidates:
        raise CardLostError(N_("no sound card %(name)s is plugged in"), name=name)
    for card in candidates:
        device = card.device(direction)
        if device is not None:
            return f"plughw:{card.number},{device}"
    playing = direction is Direction.PLAYBACK
    words = N_("sound card %(name)s cannot play") if playing else N_("sound card %(name)s cannot record")
    raise CardLostError(words, name=name)


def cards(*, root: Path = Path("/")) -> list[FoundCard]:
    """The sound cards of this machine, USB sticks in the order of their sockets."""
    found = [card for number in range(_CARDS_MAX) if (card := _card(root, number)) is not None]
    return sorted(found, key=lambda card: (_port_order(card.port), card.number))


def _is_meant(name: str, card: FoundCard) -> bool:
    if usb := _USB.fullmatch(name):
        vid, pid, port = usb.groups()
        return card.usb == f"{vid}:{pid}".lower() and port in (None, card.port)
    if by_id := _CARD.fullmatch(name):
        return card.card_id == by_id[1]
    raise CardLostError(NO_CARD_NAME, name=repr(name[:60]))


def _card(root: Path, number: int) -> FoundCard | None:
    folder = root / "proc/asound" / f"card{number}"
    card_id = _text(folder / "id")
    if not card_id:
        return None
    return FoundCard(
        number,
        card_id,
        usb=_text(folder / "usbid").lower(),
        port=_port(root / "sys/class/sound" / f"card{number}" / "device"),
        playback=_device(folder, Direction.PLAYBACK),
        capture=_device(folder, Direction.CAPTURE),
    )


def _device(folder: Path, direction: Direction) -> int | None:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return None
    streams = [found for name in names if (found := _STREAM.fullmatch(name))]
    return min((int(stream[1]) for stream in streams if stream[2] == direction), default=None)


def _port(link: Path) -> str:
    """The socket of a USB card: its link leads to an interface such as `1-1.2:1.0`."""
    try:
        interface = _PORT.fullmatch(link.readlink().name)
    except OSError:
        return ""
    return f"{interface[1]}-{interface[2]}" if interface else ""


def _port_order(port: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", port))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_TEXT_BYTES_MAX).decode("ascii", errors="replace").strip()
    except OSError:
        return ""
