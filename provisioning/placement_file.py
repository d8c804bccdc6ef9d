"""Reads which loudspeaker belongs where from a table: CSV with a heading, or a JSON list of objects."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from protocol.assignment import Placement
from protocol.limits import PLACEMENTS_MAX
from protocol.topics import device_id
from protocol.units import UnitPath, unit_path
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _

FILE_BYTES_MAX: Final = 1024 * 1024


def read_placements(path: Path) -> tuple[Placement, ...]:
    """Rows of device, place and former; the last two may be empty.

    Raises:
        ProvisioningError: the file or one of its rows is not as it should be, with the number of the row.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            raise ValueError("too large")
        rows = [*_rows(data.decode("utf-8-sig"))]
    except (OSError, ValueError, csv.Error) as error:
        words = _("%(path)s is not a table of loudspeakers: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error}) from error
    if not 0 < len(rows) <= PLACEMENTS_MAX:
        words = _("A word names between 1 and %(most)d loudspeakers; the file has %(count)d. Split it by unit.")
        raise ProvisioningError(words % {"most": PLACEMENTS_MAX, "count": len(rows)})
    return tuple(_placement(row, number) for number, row in enumerate(rows, 1))


def _rows(text: str) -> Iterable[Mapping[str, Any]]:
    if text.lstrip().startswith("["):
        return [row for row in json.loads(text) if isinstance(row, Mapping)]
    found = csv.DictReader(io.StringIO(text))
    if not {"device", "place"} <= {*(found.fieldnames or ())}:
        raise ValueError("the first line names the columns device, place, former")
    return found


def _placement(row: Mapping[str, Any], number: int) -> Placement:
    try:
        return Placement(device_id(str(row.get("device") or "").strip()), _place(row, "place"), _place(row, "former"))
    except ValueError as error:
        words = _("Row %(number)d does not fit: %(why)s")
        raise ProvisioningError(words % {"number": number, "why": error}) from error


def _place(row: Mapping[str, Any], name: str) -> UnitPath | None:
    text = str(row.get(name) or "").strip()
    return unit_path(text) if text else None
