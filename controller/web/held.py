"""Keeps a form that was sent with an ended session: it is shown again after sign-in, to be sent with one press."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aiohttp import web

from controller.web.page import page
from controller.web.strict_json import loads

_LEFT_OUT = frozenset({"csrf", "password", "present", "fresh", "again"})


@dataclass(frozen=True, slots=True)
class HeldForm:
    """A form's fields and where they were going."""

    action: str
    fields: tuple[tuple[str, str], ...]

    def json(self) -> str:
        """Text for one hidden input."""
        return json.dumps({"action": self.action, "fields": self.fields}, ensure_ascii=False)

    @property
    def written(self) -> tuple[str, ...]:
        """What a person wrote, as far as it can be told from codes: texts of several words."""
        return tuple(value for _, value in self.fields if " " in value.strip())


def parse_held(text: str) -> HeldForm | None:
    """The form that `HeldForm.json` wrote, or None for anything else."""
    try:
        value = loads(text)
        action = local_path(str(value["action"]))
        fields = tuple((str(name), str(content)) for name, content in value["fields"])
    except (ValueError, KeyError, TypeError):
        return None
    return HeldForm(action, fields) if action != "/" else None


def local_path(text: str) -> str:
    """A path of ours, or `/` when the text leads anywhere else."""
    safe = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if safe else "/"


async def held_form(request: web.Request) -> HeldForm | None:
    """What was sent, when it is a form without files."""
    if request.content_type != "application/x-www-form-urlencoded":
        return None
    form = await request.post()
    fields = tuple((name, str(value)) for name, value in form.items() if name not in _LEFT_OUT)
    return HeldForm(request.path_qs, fields)


def sign_in_page(
    request: web.Request,
    *,
    held: HeldForm | None = None,
    onward: str | None = None,
    login: str = "",
    error: str | None = None,
    status: int = 401,
) -> web.Response:
    """The sign-in form; afterwards one is where one was, with what one wrote."""
    if onward is None:
        onward = request.path_qs if request.method == "GET" else "/"
    values = {"held": held, "onward": onward, "login": login, "error": error}
    return page(request, "people/sign_in.html", values, status=status)


def resend_page(request: web.Request, held: HeldForm) -> web.Response:
    """Shows that nothing was lost, and sends it with a fresh token on one press."""
    return page(request, "people/resend.html", {"held": held}, status=200)
