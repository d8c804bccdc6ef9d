"""Errors that a person reads: what is wrong and what to do next, in their language.

Raise `Explained(N_("..."), ...)` anywhere; the web layer turns it into a page, or into JSON below `/api`.
"""

from __future__ import annotations

from typing import Any

from controller.web.i18n import N_, gettext

__all__ = ["N_", "Explained"]


class Explained(Exception):
    """A mistake with a sentence for whoever made it.

    Attributes:
        message: English msgid with named placeholders (`%(name)s`), marked with `N_`.
        values: the placeholders' values.
        status: HTTP status of the answer.
        code: stable name for programs.
        back: where the page's "go back" leads, or None for the previous page.
    """

    def __init__(
        self, message: str, *, status: int = 400, code: str = "invalid", back: str | None = None, **values: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.values = values
        self.status = status
        self.code = code
        self.back = back

    def told(self) -> str:
        """The sentence in the language of the request."""
        text = gettext(self.message)
        return text % self.values if self.values else text

    def __str__(self) -> str:
        return self.message % self.values if self.values else self.message


def not_found(
    message: str = N_("There is nothing here. It may have been removed, or belongs to another unit."),
) -> Explained:
    """For things that are not there, or not for these eyes: the two look the same."""
    return Explained(message, status=404, code="not_found")
