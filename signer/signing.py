"""Signs through the signer's own pages, as a person does, for stories that run unattended.

There is no way to sign silently over HTTP: this opens the page, reads the form that a person would see, types the
passphrase and sends it. It is a client of the signer and shares nothing with it but the pages.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Final

import aiohttp

from protocol.document import Kind

_TOKEN: Final = re.compile(r'name="token" value="([^"]+)"')
_PROBLEM: Final = re.compile(r'role="alert"[^>]*>\s*(.*?)\s*</p>', re.DOTALL)
_TAG: Final = re.compile(r"<[^>]+>")


class PageSigningError(Exception):
    """The signer's page did not lead to a signature; the text is what the page said."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a controller's page posts to the signer.

    Attributes:
        controller: origin of the controller.
        envelope: a packed envelope with the signatures that are there already.
    """

    controller: str
    kind: Kind
    payload: bytes
    return_url: str
    envelope: bytes = b""

    def form(self) -> dict[str, str]:
        """The fields of the form."""
        return {
            "controller": self.controller,
            "kind": self.kind.value,
            "payload": base64.b64encode(self.payload).decode(),
            "envelope": base64.b64encode(self.envelope).decode(),
            "return_url": self.return_url,
        }


async def sign_request(
    session: aiohttp.ClientSession, signer: str, form: Mapping[str, str], *, key: str, passphrase: str
) -> str:
    """Hands a request over, looks at its page and signs; gives the address the signer leads back to.

    Args:
        signer: origin of the signer.
        form: fields of the hand-over, as the controller's page posts them; see `HandOver.form`.
        key: name of the key file whose owner signs.

    Raises:
        PageSigningError: the signer refused, with the words of its page.
    """
    page = await _open_page(session, signer, form)
    token = await _token(session, page)
    fields = {"token": token, "key": key, "passphrase": passphrase}
    async with session.post(f"{page}/sign", data=fields, allow_redirects=False) as answer:
        if answer.status != 303:
            raise PageSigningError(_spoken(await answer.text()) or f"status {answer.status}")
        return answer.headers["Location"]


async def _open_page(session: aiohttp.ClientSession, signer: str, form: Mapping[str, str]) -> str:
    async with session.post(f"{signer}/review", data=dict(form), allow_redirects=False) as answer:
        if answer.status != 303:
            raise PageSigningError(_spoken(await answer.text()) or f"status {answer.status}")
        return signer.rstrip("/") + answer.headers["Location"]


async def _token(session: aiohttp.ClientSession, page: str) -> str:
    """The form appears once every recording is checked; the page waits for that itself, a moment at a time."""
    for _look in range(30):
        async with session.get(page) as answer:
            text = await answer.text()
        found = _TOKEN.search(text)
        if found:
            return found[1]
        if 'http-equiv="refresh"' not in text:
            break
    raise PageSigningError(_spoken(text) or "the page offers nothing to sign")


def _spoken(page: str) -> str:
    said = _PROBLEM.search(page)
    return unescape(_TAG.sub("", said[1])).strip() if said else ""
