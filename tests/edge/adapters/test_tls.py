"""What a device accepts at the other end of its line: our own CA, whatever the date, and nobody else's."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from controller.broker.tls import peer_certificate, server_context
from edge.adapters import tls
from edge.adapters.tls import TlsError, client_context
from provisioning import device_ca
from tests.contracts.papers import Authority, Papers, authority, expired


@pytest.fixture
def province(tmp_path: Path) -> Authority:
    return authority(tmp_path / "province")


def context_of(papers: Papers) -> ssl.SSLContext:
    return client_context(papers.ca, certificate=papers.certificate, key=papers.key)


@asynccontextmanager
async def served(context: ssl.SSLContext) -> AsyncIterator[int]:
    """Says whose certificate was shown."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = peer_certificate(writer.get_extra_info("ssl_object"))
        writer.write((shown.name if shown else "nobody").encode())
        await writer.drain()
        writer.close()

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # refused handshakes are what some tests want
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def told(port: int, context: ssl.SSLContext) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        async with asyncio.timeout(3):
            return (await reader.read()).decode()
    finally:
        writer.close()


async def refused(port: int, context: ssl.SSLContext) -> bool:
    """With TLS 1.3 a client learns of its refusal only after its own handshake, or merely finds the line closed."""
    try:
        return await told(port, context) == ""
    except (ssl.SSLError, ConnectionError):
        return True


def test_both_ends_mean_one_name() -> None:
    assert tls.SERVER_NAME == device_ca.SERVER_NAME


async def test_device_is_known_by_its_certificate(province: Authority) -> None:
    async with served(server_context(province.server)) as port:
        assert await told(port, context_of(province.enrol("loa-1"))) == "loa-1"


async def test_expired_certificates_still_connect(province: Authority) -> None:
    """Neither a dead clock nor a forgotten renewal silences a village."""
    papers = province.enrol("loa-1")
    for certificate in (province.server / "server.pem", papers.certificate, papers.ca, province.server / "ca.pem"):
        expired(province.ca, certificate)
    checked = ssl.create_default_context(cafile=str(papers.ca))
    checked.check_hostname = False
    async with served(server_context(province.server)) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            await told(port, checked)
        assert await told(port, context_of(papers)) == "loa-1"


async def test_foreign_ca_is_refused(province: Authority, tmp_path: Path) -> None:
    other = authority(tmp_path / "other")
    async with served(server_context(other.server)) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await told(port, context_of(province.enrol("loa-1")))
    async with served(server_context(province.server)) as port:
        foreign = other.enrol("loa-1")
        mixed = client_context(province.server / "ca.pem", certificate=foreign.certificate, key=foreign.key)
        assert await refused(port, mixed)


async def test_system_store_opens_nothing(province: Authority) -> None:
    context = context_of(province.enrol("loa-1"))
    assert context.cert_store_stats()["x509_ca"] == 1


async def test_device_cannot_play_the_controller(province: Authority) -> None:
    """A stolen box has a certificate of our CA, but not one for servers."""
    stolen = province.enrol("loa-9")
    (province.server / "server.pem").write_bytes(stolen.certificate.read_bytes())
    (province.server / "server-key.pem").write_bytes(stolen.key.read_bytes())
    async with served(server_context(province.server)) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await told(port, context_of(province.enrol("loa-1")))


async def test_without_certificate_no_connection(province: Authority) -> None:
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.load_verify_locations(province.server / "ca.pem")
    async with served(server_context(province.server)) as port:
        assert await refused(port, bare)


def test_missing_key_is_named(province: Authority) -> None:
    papers = province.enrol("loa-1")
    papers.key.unlink()
    with pytest.raises(TlsError, match="Enrol again"):
        context_of(papers)
