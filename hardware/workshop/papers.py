"""Who this device is, for whoever stands before it: what is no secret of `device.json`, and all of `board.json`.

The token in the one is never shown; the key file that the other names is only a name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hardware.errors import BoardError
from hardware.i18n import gettext as _
from hardware.i18n import worded
from hardware.strict_json import FILE_BYTES_MAX
from hardware.workshop.letters import printable
from hardware.workshop.place import Place

_LINES_MAX: Final = 60
_CHARS_MAX: Final = 160


def device_of(place: Place) -> str:
    """Its name; empty where it has none."""
    return _shown(_device(place).get("device", ""))


def papers(place: Place) -> Iterator[str]:
    """Lines to be shown."""
    known = _device(place)
    if not known:
        yield _("This board is not enrolled yet.")
    else:
        yield _("Device: %(name)s") % {"name": _shown(known.get("device", ""))}
        yield _("Place: %(name)s") % {"name": _shown(known.get("place", ""))}
        yield _("Controller: %(name)s") % {"name": _without_login(known.get("controller_url", ""))}
        broker = f"{_shown(known.get('mqtt_host', ''))}:{_shown(known.get('mqtt_port', ''))}"
        yield _("Broker: %(name)s") % {"name": broker}
    key = _("it is here") if (place.etc / "guardian.key").exists() else _("there is none")
    yield _("Key of the guardian: %(state)s") % {"state": key}
    yield ""
    yield from _board(place)


def _board(place: Place) -> Iterator[str]:
    path = place.etc / "board.json"
    text = _text(path)
    if text is None:
        yield _("There is no %(path)s: only what every computer has is tried. Examples: hardware/image/boards") % {
            "path": path
        }
        return
    yield f"{path}:"
    lines = text.splitlines()
    for line in lines[:_LINES_MAX]:
        yield f"  {printable(line.expandtabs(2))[:_CHARS_MAX]}"
    if len(lines) > _LINES_MAX:
        yield "  …"
    try:
        for remark in place.board().remarks():
            yield _("Remark on %(path)s: %(text)s") % {"path": path, "text": worded(remark)}
    except BoardError as error:
        yield worded(error)


def _device(place: Place) -> dict[str, Any]:
    try:
        told = json.loads(_text(place.etc / "device.json") or "")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX).decode("utf-8", errors="replace")
    except OSError:
        return None


def _shown(value: object) -> str:
    return printable(str(value))[:_CHARS_MAX] if isinstance(value, (str, int)) else "?"


def _without_login(value: object) -> str:
    """An address may carry a name and a password before its @."""
    try:
        url = urlsplit(_shown(value))
        return url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        return "?"
