"""People of the province at their computers: signed in at the controller, with their keys at the signer's pages."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from protocol.document import Kind
from signer.signing import HandOver, sign_request
from simulators.province import Province

_LOOK_S: Final = 0.1


class AnswerError(Exception):
    """The controller answered something else than hoped for."""


class Officer:
    """One person's browser; use it as a context.

    Args:
        key: name of the key with which this person signs, such as `c1`.
    """

    def __init__(self, province: Province, login: str, *, key: str = "") -> None:
        self._province, self._login, self._key = province, login, key
        self._origin = province.addresses.controller
        self._csrf = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        credentials = {"login": self._login, "password": self._province.password(self._login)}
        try:
            self._csrf = (await self.call("POST", "/session", credentials))["csrf"]
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the controller's interface for programs.

        Raises:
            AnswerError: another status than 2xx, with what was said.
        """
        url, headers = f"{self._origin}/api/v1{path}", {"X-CSRF-Token": self._csrf}
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            return await _good(answer)

    async def page(self, path: str) -> str:
        """The text of a page."""
        async with self._session.get(f"{self._origin}{path}") as answer:
            if answer.status != 200:
                raise AnswerError(f"{path}: {answer.status}")
            return await answer.text()

    async def wait_for(self, path: str, holds: Callable[[Any], Any], *, within_s: float) -> Any:
        """Asks again until the answer fulfils a condition; gives what the condition gave.

        Raises:
            AnswerError: it never did; with the last answer.
        """
        answer: Any = None
        try:
            async with asyncio.timeout(within_s):
                while True:
                    answer = await self.call("GET", path)
                    if found := holds(answer):
                        return found
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError as error:
            raise AnswerError(f"{path} never said what was hoped for, last {str(answer)[:600]}") from error

    # Sound and bulletins.

    async def upload(self, file: Path, *, unit: str, title: str) -> dict[str, Any]:
        """Puts a sound file into the library."""
        form = aiohttp.FormData({"unit": unit, "title": title})
        headers = {"X-CSRF-Token": self._csrf}
        with file.open("rb") as opened:
            form.add_field("file", opened, filename=file.name)
            async with self._session.post(f"{self._origin}/api/v1/media", data=form, headers=headers) as answer:
                made: dict[str, Any] = await _good(answer)
        return made

    async def speak(self, text: str, *, unit: str, title: str) -> dict[str, Any]:
        """Has a text spoken into the library."""
        body = {"unit": unit, "title": title, "text": text, "language": "vi"}
        made: dict[str, Any] = await self.call("POST", "/speech", body)
        return made

    async def compose(
        self, media: dict[str, Any], *, unit: str, title: str, start_ms: int, targets: list[str]
    ) -> str:
        """Composes a bulletin and hands it to the approver; gives its id."""
        body = {
            "unit": unit,
            "title": title,
            "class": "ordinary",
            "content": {"kind": "programme", "media_digest": media["digest"]},
            "when": {"kind": "once", "start_ms": start_ms},
            "targets": targets,
        }
        made = await self.call("POST", "/bulletins", body)
        await self.call("POST", f"/bulletins/{made['id']}/submit", {"go_on": True})
        return str(made["id"])

    async def approve(self, bulletin: str) -> None:
        """Approves what another person wrote."""
        await self.call("POST", f"/bulletins/{bulletin}/approve", {})

    # Signing.

    async def ask(self, unit: str, **fields: Any) -> dict[str, Any]:
        """The bytes to be signed for a unit, as the controller proposes them."""
        made: dict[str, Any] = await self.call("POST", f"/units/{unit.replace('/', '%2F')}/signing-request", fields)
        return made

    async def sign(self, asked: dict[str, Any], *, key: str = "") -> None:
        """Reads and signs at the signer's page; the signer hands it in.

        Raises:
            PageSigningError: the signer refused.
        """
        key = key or self._key
        back = f"{self._origin}/signing"
        hand_over = HandOver(self._origin, Kind(asked["kind"]), base64.b64decode(asked["payload"]), back)
        passphrase = self._province.ceremony.person(key).passphrase
        signer = self._province.addresses.signer
        await sign_request(self._session, signer, hand_over.form(), key=key, passphrase=passphrase)


def message_of(number: int, media: dict[str, Any]) -> dict[str, Any]:
    """A sound of the library behind a message button, as an audible configuration names it."""
    sound = {name: media[name] for name in ("digest", "size_bytes", "duration_ms")}
    return {"number": number, "title": media["title"], "media": sound}


async def _good(answer: aiohttp.ClientResponse) -> Any:
    if not 200 <= answer.status < 300:
        raise AnswerError(f"{answer.method} {answer.url.path}: {answer.status} {(await answer.text())[:400]}")
    return await answer.json() if answer.content_type == "application/json" else None
