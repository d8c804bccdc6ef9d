"""From an empty card to a device with a certificate, as it is typed; and what is refused on the way."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from protocol import codec
from provisioning import device_ca
from provisioning.cli import app
from provisioning.device_ca import make_ca, open_ca, read_certificate
from provisioning.device_file import line_of, read_device
from provisioning.device_key import make_request, take_certificate
from provisioning.errors import ProvisioningError
from tests.contracts.papers import COST, authority
from tests.edge.core.office import ANCHOR

PASSPHRASE = "sen-lua-trau-47"


def run(*words: str | Path, code: int = 0) -> Result:
    asked = [str(word) for word in words]
    environment = {"LOALANG_LANG": "en", "COLUMNS": "200", "LOALANG_PASSPHRASE": PASSPHRASE}
    result = CliRunner().invoke(app, asked, env=environment)
    assert result.exit_code == code, result.output
    return result


@pytest.mark.slow
def test_enrolment_as_it_is_typed(tmp_path: Path) -> None:
    office, device, server = tmp_path / "office", tmp_path / "device", tmp_path / "server"
    (tmp_path / "anchor.json").write_bytes(codec.encode(ANCHOR))
    run("device-ca", "init", "--directory", office)
    words = [
        "enrol",
        "--device",
        "loa-1",
        "--place",
        "vn/92/31498/c07",
        "--controller",
        "https://loa.example.vn:8443",
    ]
    run(*words, "--anchor", tmp_path / "anchor.json", "--out", device)
    assert stat.S_IMODE((device / "device-key.pem").stat().st_mode) == 0o600
    run("device-ca", "sign", device / "device.csr", "--directory", office, "--out", tmp_path / "signed.pem")
    run("enrol", "--certificate", tmp_path / "signed.pem", "--ca", office / "ca.pem", "--out", device)
    written = json.loads((device / "device.json").read_text())
    assert (written["token"], written["mqtt_host"], written["mqtt_port"]) == ("", "loa.example.vn", 8883)
    assert line_of(device / "device.json", read_device(device / "device.json")) is not None
    run("device-ca", "server-certificate", "--directory", office, "--out", server, "--name", "10.0.0.7")
    check = ["openssl", "verify", "-x509_strict", "-CAfile", str(office / "ca.pem"), "-purpose"]
    subprocess.run([*check, "sslserver", str(server / "server.pem")], check=True, capture_output=True)
    subprocess.run([*check, "sslclient", str(device / "device.pem")], check=True, capture_output=True)
    run("device-ca", "revocation-list", device / "device.pem", "--directory", office, "--out", tmp_path / "crl")
    checked = [*check, "sslclient", "-crl_check", "-CRLfile", str(tmp_path / "crl"), str(device / "device.pem")]
    assert b"revoked" in subprocess.run(checked, check=False, capture_output=True).stderr
    run("device-ca", "init", "--directory", office, code=1)


def test_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    made = make_ca(tmp_path, name="x", passphrase=PASSPHRASE, cost=COST)
    assert open_ca(tmp_path, PASSPHRASE).certificate == made.certificate
    with pytest.raises(ProvisioningError):
        open_ca(tmp_path, "sai")
    assert b"PRIVATE" not in (tmp_path / "ca-key.json").read_bytes()


def test_key_stays_when_asked_again(tmp_path: Path) -> None:
    make_request(tmp_path, "loa-1")
    key = (tmp_path / "device-key.pem").read_bytes()
    make_request(tmp_path, "loa-1")
    assert (tmp_path / "device-key.pem").read_bytes() == key


def test_paper_of_another_box(tmp_path: Path) -> None:
    province = authority(tmp_path)
    mine, theirs = province.enrol("loa-1"), province.enrol("loa-1", box="other")
    ca, directory = mine.ca.read_bytes(), mine.key.parent
    for certificate, device in ((theirs.certificate, "loa-1"), (mine.certificate, "loa-2")):
        with pytest.raises(ProvisioningError):
            take_certificate(directory, device=device, certificate=certificate.read_bytes(), ca=ca)
    foreign = authority(tmp_path / "foreign").enrol("loa-1")
    with pytest.raises(ProvisioningError):
        take_certificate(directory, device="loa-1", certificate=foreign.certificate.read_bytes(), ca=ca)


@pytest.mark.parametrize("request_", [b"", b"x", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", b"\xff" * 40])
def test_request_that_is_none(tmp_path: Path, request_: bytes) -> None:
    with pytest.raises(ProvisioningError):
        authority(tmp_path).ca.sign_device(request_)


def test_request_cannot_ask_for_more(tmp_path: Path) -> None:
    """A device that asks to be a CA, or the controller, gets a device's certificate or none."""
    key, more = tmp_path / "key.pem", tmp_path / "more.csr"
    words = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    words += ["-keyout", str(key), "-out", str(more), "-subj", "/CN=loa-1"]
    words += ["-addext", "basicConstraints=CA:TRUE", "-addext", "subjectAltName=DNS:" + device_ca.SERVER_NAME]
    subprocess.run(words, check=True, capture_output=True)
    text = read_certificate(authority(tmp_path / "p").ca.sign_device(more.read_bytes()))
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-text"], input=device_ca.pem_of(text), check=True, capture_output=True
    ).stdout
    assert b"CA:FALSE" in shown and b"CA:TRUE" not in shown and b"DNS:" not in shown and b"Server Auth" not in shown
    named = [*words[:-5], "/CN=" + device_ca.SERVER_NAME]
    subprocess.run(named, check=True, capture_output=True)
    with pytest.raises(ProvisioningError):
        authority(tmp_path / "q").ca.sign_device(more.read_bytes())
