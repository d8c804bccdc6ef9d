"""`enrol`: run on the device. Its key is made here and stays here; a request leaves, a certificate comes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from protocol import codec
from protocol.units import unit_path
from provisioning.asking import ask_secret
from provisioning.board_part import BOARD_FILE, fit_board, read_board_part
from provisioning.device_file import DeviceFile, enrol, read_device
from provisioning.device_key import CA, CERTIFICATE, KEY, make_request, take_certificate
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.pinned_root import ROOT, names_anchor, read_root
from provisioning.terminal import console, explained

_HTTPS: Final = "https://"
_BROKER_TLS_PORT: Final = 8883
_BROKER_PORT: Final = 18_830


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("enrol")(explained(enrol_device))


def enrol_device(
    *,
    device: Annotated[str, typer.Option(help="the device's name, such as loa-31498-01")] = "",
    place: Annotated[str, typer.Option(help="its place, such as vn/92/31498/c07")] = "",
    controller: Annotated[str, typer.Option(help="https:// makes a key and a request for a certificate")] = (
        "http://127.0.0.1:8080"
    ),
    mqtt_host: Annotated[str, typer.Option(help="the broker; else the controller's machine")] = "",
    mqtt_port: Annotated[int, typer.Option(help="8883 by TLS, 18830 plainly")] = 0,
    token: Annotated[str, typer.Option(help="shown once by a controller on this machine; asked for")] = "",
    anchor: Annotated[Path, typer.Option(help="the pinned anchor file")] = Path("anchor.json"),
    root: Annotated[Path | None, typer.Option(help="the root file to pin; best from the published metadata")] = None,
    certificate: Annotated[Path | None, typer.Option(help="second step: what the device CA gave")] = None,
    ca: Annotated[Path, typer.Option(help="second step: the device CA's own certificate")] = Path(CA),
    board: Annotated[
        Path | None, typer.Option(help="what the box is made of, board.json; also for one enrolled before")
    ] = None,
    out: Annotated[Path, typer.Option(help="directory for device.json, keys and the pinned anchor")] = Path("device"),
) -> None:
    """Writes what a device needs to know, and makes its key; then, with --certificate, takes in its certificate."""
    if board is not None:
        read_board_part(board)  # before a key is made, or anything is asked
    if certificate is not None:
        _finish(out, certificate.read_bytes(), ca.read_bytes())
    if certificate is not None or (board is not None and not device and not place):
        _fit(out, board)
        return
    if not device or not place:
        raise ProvisioningError(_("A new device needs --device and --place."))
    secure = controller.startswith(_HTTPS)
    made = _described(device, place, controller, mqtt_host, mqtt_port, token)
    pinned = anchor.read_bytes()
    if root is not None:
        made = replace(made, root=ROOT)
    checked = codec.build(DeviceFile, json.loads(codec.encode(made)))
    path = enrol(out, checked, pinned, _root(root, pinned))
    console.print(_("Device file written to %(path)s.") % {"path": path})
    _fit(out, board)
    if secure:
        words = _("Key made. Have %(path)s signed by the device CA, then run enrol with --certificate and --ca.")
        console.print(words % {"path": make_request(out, device)})


def _described(device: str, place: str, controller: str, mqtt_host: str, mqtt_port: int, token: str) -> DeviceFile:
    secure = controller.startswith(_HTTPS)
    made = DeviceFile(
        device,
        unit_path(place),
        controller,
        mqtt_host or (_host(controller) if secure else "127.0.0.1"),
        mqtt_port or (_BROKER_TLS_PORT if secure else _BROKER_PORT),
        token,
    )
    if secure:
        return replace(made, token="", ca=CA, certificate=CERTIFICATE, key=KEY)
    return made if token else replace(made, token=ask_secret(_("Token of the device")))


def _fit(directory: Path, board: Path | None) -> None:
    if board is None:
        return
    read_device(directory / "device.json")
    for remark in fit_board(directory / "device.json", board):
        console.print(_("Remark on the board: %(text)s") % {"text": remark}, markup=False)
    console.print(_("The board was copied to %(path)s.") % {"path": directory / BOARD_FILE})


def _root(path: Path | None, anchor: bytes) -> bytes | None:
    if path is None:
        console.print(_("No root is pinned: this device will never learn of another anchor or newer software."))
        return None
    root = read_root(path)
    if not names_anchor(path, anchor):
        console.print(_("It was not checked whether the root names this anchor: no published targets lie beside it."))
    return root


def _finish(directory: Path, certificate: bytes, ca: bytes) -> None:
    known = read_device(directory / "device.json")
    made = take_certificate(directory, device=known.device, certificate=certificate, ca=ca)
    console.print(_("Certificate stored. Register it on the device's page of the controller; its fingerprint:"))
    console.print(made, soft_wrap=True)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
