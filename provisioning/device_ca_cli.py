"""`device-ca …`: who may connect. The key lies where the province keeps its offline keys, not on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from provisioning.asking import ask_passphrase, new_passphrase
from provisioning.device_ca import DeviceCa, fingerprint, make_ca, name_of, open_ca, pem_of, read_certificate
from provisioning.i18n import gettext as _
from provisioning.terminal import console, explained
from signer.disk import write_durably

app: Final = typer.Typer(no_args_is_help=True, help="Certificates of devices, controller and broker.")

Directory = Annotated[Path, typer.Option(help="directory of the device CA")]
_HERE: Final = Path("device-ca")


def add_to(whole: typer.Typer) -> None:
    """Adds the group."""
    whole.add_typer(app, name="device-ca")


def _opened(directory: Path) -> DeviceCa:
    return open_ca(directory, ask_passphrase(directory / "ca-key.json"))


@app.command("init")
@explained
def init(*, directory: Directory = _HERE, name: str = "Loa Làng device CA") -> None:
    """Makes the province's device CA, sealed with a passphrase."""
    made = make_ca(directory, name=name, passphrase=new_passphrase(str(directory)))
    words = _("Device CA made in %(path)s. Give ca.pem to devices and controller; keep ca-key.json offline.")
    console.print(words % {"path": directory})
    console.print(fingerprint(made.certificate), soft_wrap=True)


@app.command("sign")
@explained
def sign(
    *,
    request: Annotated[Path, typer.Argument(help="device.csr, as the device made it")],
    directory: Directory = _HERE,
    out: Annotated[Path | None, typer.Option(help="where the certificate goes; else beside the request")] = None,
) -> None:
    """Makes a device's certificate; prints its fingerprint."""
    certificate = _opened(directory).sign_device(request.read_bytes())
    path = out or request.with_suffix(".pem")
    write_durably(path, certificate, mode=0o644)
    made = read_certificate(certificate)
    words = _("Certificate of %(device)s written to %(path)s. Register it on the device's page of the controller.")
    console.print(words % {"device": name_of(made.subject), "path": path})
    console.print(fingerprint(made), soft_wrap=True)


@app.command("server-certificate")
@explained
def server_certificate(
    *,
    directory: Directory = _HERE,
    out: Annotated[Path, typer.Option(help="directory for --device-tls of the controller, or for the broker")] = Path(
        "device-tls"
    ),
    name: Annotated[list[str] | None, typer.Option(help="a further host name or address, once for each")] = None,
    days: Annotated[int, typer.Option(min=1, help="for tools that look at dates; devices do not")] = 730,
) -> None:
    """Makes certificate and key of the controller or the broker."""
    ca = _opened(directory)
    certificate, key = ca.server_certificate(name or (), days=days)
    write_durably(out / "server-key.pem", key)
    write_durably(out / "server.pem", certificate, mode=0o644)
    write_durably(out / "ca.pem", pem_of(ca.certificate), mode=0o644)
    console.print(_("ca.pem, server.pem and server-key.pem written to %(path)s.") % {"path": out})


@app.command("revocation-list")
@explained
def revocation_list(
    *,
    certificates: Annotated[list[Path], typer.Argument(help="every certificate that shall open nothing")],
    directory: Directory = _HERE,
    out: Path = Path("device-ca.crl"),
) -> None:
    """Writes the list for an outside broker (mosquitto: crlfile). The controller needs none: revoke on its page."""
    refused = [one.read_bytes() for one in certificates]
    write_durably(out, _opened(directory).revocation_list(refused), mode=0o644)
    console.print(_("Revocation list written to %(path)s.") % {"path": out})
