"""The controller as a device sees it: time, documents and media."""

from __future__ import annotations

import secrets
import ssl
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from protocol import codec
from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.document import Kind, kind_of, read
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.freshness import Attestation
from protocol.grants import Anchor
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX, PARCEL_BYTES_MAX
from protocol.parcel import unpack_all
from provisioning.device_file import DeviceFile
from provisioning.errors import ProvisioningError, UnreachableError
from provisioning.i18n import gettext as _

ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, sock_connect=5, sock_read=20)


@dataclass(frozen=True, slots=True)
class Documents:
    """All that is in force for a place, and the alerts that still live."""

    cursor: str
    parcels: tuple[str, ...] = field(metadata=bounded(chars_max=PARCEL_BYTES_MAX))
    alerts: tuple[str, ...] = field(metadata=bounded(chars_max=ENVELOPE_BYTES_MAX))

    def envelopes(self) -> tuple[Envelope, ...]:
        """Every envelope of the parcels.

        Raises:
            ProvisioningError: a parcel cannot be read.
        """
        try:
            return tuple(one for parcel in self.parcels for one in unpack_all(parcel.encode()))
        except DocumentError as error:
            raise ProvisioningError(_("The answer cannot be read: %(why)s") % {"why": error}) from error


class ControllerLine:
    """Asks as one device, with its certificate or its token.

    Args:
        tls: see `provisioning.device_file.line_of`.
    """

    def __init__(
        self, session: aiohttp.ClientSession, device: DeviceFile, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._session = session
        self._tls = tls if tls is not None else True
        self._address = device.controller_url.rstrip("/")
        self._place = device.place
        self._headers = {"Authorization": f"Bearer {device.token}"} if device.token else {}

    async def time(self, anchor: Anchor) -> WallMs:
        """The controller's time, signed for a question made now.

        Raises:
            UnreachableError: no answer.
            ProvisioningError: the answer is not signed by a freshness key of the anchor, or not for this question.
        """
        nonce = secrets.token_hex(16)
        data = await self._ask("POST", "/device/v1/attest", json={"nonce": nonce}, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
        try:
            envelope = unpack(data)
            document = read(envelope)
            signed = kind_of(envelope) is Kind.ATTESTATION and bool(envelope.signers(anchor.freshness_keys))
        except DocumentError as error:
            raise ProvisioningError(_("The answer cannot be read: %(why)s") % {"why": error}) from error
        if not signed or not isinstance(document, Attestation) or document.nonce != nonce:
            raise ProvisioningError(_("The time is not signed by the key that this anchor names."))
        return document.wall

    async def documents(self) -> Documents:
        """What is in force for the device's place and all units above.

        Raises:
            UnreachableError, ProvisioningError: no answer, or none that can be read.
        """
        query = {"place": str(self._place), "cursor": "", "wait": "0"}
        data = await self._ask("GET", "/device/v1/documents", params=query, bytes_max=ANSWER_BYTES_MAX)
        if not data:
            return Documents("", (), ())
        try:
            return codec.decode(Documents, data, bytes_max=ANSWER_BYTES_MAX)
        except DocumentError as error:
            raise ProvisioningError(_("The answer cannot be read: %(why)s") % {"why": error}) from error

    async def media(self, digest: str, *, size_bytes: int) -> bytes:
        """A recording's bytes, not yet checked.

        Raises:
            UnreachableError: no answer.
        """
        return await self._ask("GET", f"/media/{digest}", bytes_max=size_bytes)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        bytes_max: int,
        params: dict[str, str] | None = None,
        json: dict[str, str] | None = None,
    ) -> bytes:
        try:
            async with self._session.request(
                method,
                self._address + path,
                headers=self._headers,
                params=params,
                json=json,
                timeout=_TIMEOUT,
                allow_redirects=False,
                ssl=self._tls,
            ) as answer:
                if answer.status in (401, 403):
                    raise ProvisioningError(_("The controller does not accept this device's certificate or token."))
                if answer.status not in (200, 204):
                    raise UnreachableError(f"{path}: {answer.status}")
                return await _bounded(answer, bytes_max)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(f"{self._address}: {error}") from error


async def _bounded(answer: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    made = bytearray()
    async for chunk in answer.content.iter_chunked(64 * 1024):
        made += chunk
        if len(made) > bytes_max:
            raise ProvisioningError(_("The answer is larger than it may be."))
    return bytes(made)
