"""`bundle make` and `bundle inspect`: a USB stick for a village without a network."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from protocol.clock import WallMs, local_datetime
from protocol.grants import read_anchor
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from protocol.stick import STICK_BYTES_MAX
from protocol.units import unit_path
from provisioning.bundle import SIZE_MAX_BYTES, Bundle, Plan, make_bundle
from provisioning.device_file import line_of, read_device
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.inspection import Inspection, inspect
from provisioning.refusal_words import words_for
from provisioning.saved_files import SavedFiles
from provisioning.stick_listing import ALARMING, Recording, State, Stray
from provisioning.terminal import console, explained, megabytes, now, printable
from provisioning.verdict import Judged

app: Final = typer.Typer(no_args_is_help=True, help="Documents and recordings on a USB stick.")
_MB: Final = 1024 * 1024
_DIGEST_CHARS: Final = 12

Envelopes = Annotated[list[Path] | None, typer.Option(help="a file that a signer saved, once for each; no network")]


def add_to(whole: typer.Typer) -> None:
    """Adds the group."""
    whole.add_typer(app, name="bundle")


@app.command("make")
@explained
def make(
    *,
    device_file: Annotated[Path | None, typer.Argument(help="a device's file: asks its controller")] = None,
    out: Annotated[Path, typer.Option(help="the USB stick")],
    envelopes: Envelopes = None,
    media: Annotated[Path | None, typer.Option(help="with --envelopes: folder of recordings")] = None,
    place: Annotated[str, typer.Option(help="with --envelopes: the unit whose bundle it is")] = "",
    root: Annotated[Path | None, typer.Option(help="directory of TUF metadata and targets")] = None,
    size_max: Annotated[int, typer.Option(min=1, max=STICK_BYTES_MAX // _MB, help="in MiB")] = SIZE_MAX_BYTES // _MB,
) -> None:
    """Writes a bundle: the documents of a place and their recordings, from a controller or from saved files."""
    if (device_file is None) == (not envelopes):
        raise ProvisioningError(_("Name either a device's file or files with --envelopes."))
    made = asyncio.run(_make(device_file, envelopes or [], media, place, out, root, size_max * _MB))
    words = _("%(documents)d documents and %(media)d recordings written to %(path)s.")
    console.print(words % {"documents": made.documents, "media": made.media, "path": made.path})
    if made.left_out:
        words = _("%(count)d documents were left out: they sound at once, which no device takes from a stick.")
        console.print(words % {"count": made.left_out})


async def _make(
    device_file: Path | None,
    envelopes: list[Path],
    media: Path | None,
    place: str,
    out: Path,
    root: Path | None,
    size_max_bytes: int,
) -> Bundle:
    if device_file is None:
        source, unit = SavedFiles(envelopes, media), unit_path(place)
        return await make_bundle(source, unit, out, root=root, size_max_bytes=size_max_bytes, tell=_tell)
    import aiohttp  # only this way needs a network, and its client is slow to load

    from provisioning.controller_line import ControllerLine

    device = read_device(device_file)
    async with aiohttp.ClientSession() as session:
        line = ControllerLine(session, device, tls=line_of(device_file, device))
        return await make_bundle(line, device.place, out, root=root, size_max_bytes=size_max_bytes, tell=_tell)


def _tell(plan: Plan) -> None:
    console.print(_("The bundle needs %(size)s on the stick.") % {"size": megabytes(plan.size_bytes)})


@app.command("inspect")
@explained
def show(
    *,
    directory: Annotated[Path, typer.Argument(help="the USB stick")],
    anchor: Annotated[Path | None, typer.Option(help="the pinned anchor file: judges as a device does")] = None,
    place: Annotated[str, typer.Option(help="a device's place: tells what concerns it")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="for a program instead of a person")] = False,
) -> None:
    """Shows what is on a stick and what a device would take; exit code 1 when something is wrong."""
    pinned = None
    if anchor is not None:
        with anchor.open("rb") as file:
            pinned = read_anchor(file.read(ALERT_ENVELOPE_BYTES_MAX + 1))
    found = inspect(directory, anchor=pinned, wall=now(), place=unit_path(place) if place else None)
    if as_json:
        typer.echo(json.dumps({"ok": found.ok, **dataclasses.asdict(found)}))
    else:
        _show(found)
    if not found.ok:
        raise typer.Exit(1)


def _show(found: Inspection) -> None:
    console.print(_documents(found))
    if found.listing.recordings:
        console.print(_recordings(found.listing.recordings))
    if found.listing.odd:
        console.print(_odd(found))
    words = _(
        "Documents: %(documents)d. Whole recordings: %(media)d, %(size)s. Root files: %(root)d. Logs: %(logs)d."
    )
    whole = sum(one.state is State.PRESENT for one in found.listing.recordings)
    counts = {"documents": len(found.documents), "media": whole, "size": megabytes(found.media_bytes)}
    console.print(words % {**counts, "root": found.listing.root_files, "logs": len(found.listing.logs)})
    if not found.judged:
        console.print(_("Signatures were not checked: name the anchor with --anchor."))
    if found.ok and found.judged:
        console.print(_("All is well. A device takes what is newer than what it has."), style="green")
    elif not found.ok:
        console.print(_("Something is wrong with this stick; see above."), style="red")


def _documents(found: Inspection) -> Table:
    table = Table(_("kind"), _("place"), _("no."), _("from"), _("until"), _("office"), _("keys"), _("a device"))
    for one in found.documents:
        office = " → ".join(part for part in (one.office, one.holder) if part)
        table.add_row(
            _plain(one.kind),
            _plain(one.scope),
            "" if one.number is None else str(one.number),
            _date(one.issued),
            _date(one.expires),
            _plain(office),
            "\n".join(_plain(key) for key in one.signers),
            _verdict(one, judged=found.judged),
        )
    return table


def _verdict(one: Judged, *, judged: bool) -> str:
    if one.refusal is not None:
        return f"[red]✗[/red] {words_for(one.refusal)} ({one.refusal.value})"
    if one.for_place is False:
        return _("does not concern this place")
    return "[green]✓[/green] " + _("takes it") if judged else _("not judged")


def _recordings(recordings: tuple[Recording, ...]) -> Table:
    table = Table(_("recording"), _("size"), _("state"))
    words = {
        State.PRESENT: "[green]✓[/green] " + _("whole"),
        State.MISSING: "[red]✗[/red] " + _("missing"),
        State.DAMAGED: "[red]✗[/red] " + _("damaged or another one"),
        State.NOT_NAMED: _("no document names it"),
    }
    for one in recordings:
        table.add_row(one.digest[:_DIGEST_CHARS], megabytes(one.size_bytes), words[one.state])
    return table


def _odd(found: Inspection) -> Table:
    words = {
        Stray.LINK: _("a link; no device follows it"),
        Stray.DEVICE: _("a device or a pipe"),
        Stray.EXECUTABLE: _("a program; no device executes it"),
        Stray.TEMPORARY: _("left over from writing"),
        Stray.OTHER: _("does not belong here; no device reads it"),
        Stray.TOO_MANY: _("more files than were looked at"),
    }
    table = Table(_("also on the stick"), "")
    for one in found.listing.odd:
        mark = "[red]✗[/red] " if one.why in ALARMING else ""
        table.add_row(_plain(one.name), mark + words[one.why])
    return table


def _plain(text: str) -> str:
    return escape(printable(text))


def _date(wall: int | None) -> str:
    if wall is None:
        return ""
    try:
        return f"{local_datetime(WallMs(wall)):%d/%m/%Y %H:%M}"
    except (ValueError, OverflowError, OSError):
        return "?"
