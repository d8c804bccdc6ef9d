"""The templates outside of a request, and a page as text: a terminal shows what the page shows, word by word."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import jinja2

from signer import i18n, wording

TEMPLATES: Final = Path(__file__).parent / "templates"
OPTIONS: Final[dict[str, Any]] = {
    "extensions": ["jinja2.ext.i18n"],
    "autoescape": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "undefined": jinja2.StrictUndefined,
}
"""Of every environment, so that page and terminal cannot differ."""
_NEW_LINE: Final = frozenset(
    {"p", "li", "tr", "dt", "dd", "section", "article", "ul", "ol", "table", "blockquote", "br"}
)
_HIDDEN: Final = frozenset({"audio", "style", "script"})
_BEFORE: Final = {"li": "  • ", "dd": "    ", "h1": "\n# ", "h2": "\n## ", "h3": "  ", "blockquote": "    “"}


def environment() -> jinja2.Environment:
    """The signer's templates in the reader's language."""
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), **OPTIONS)  # noqa: S701
    made.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(language=i18n.language, words=wording)
    return made


def as_text(page: str) -> str:
    """A page's words, one line for each paragraph; control characters of a document never reach the terminal."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    lines = (" ".join(line.split()) if not line.startswith(" ") else line.rstrip() for line in reader.lines())
    return "\n".join(line for line in lines if line.strip())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        if tag in _NEW_LINE or tag in _BEFORE:
            self._lines.append(_BEFORE.get(tag, ""))
        if tag in ("td", "th") and self._lines[-1].strip():
            self._lines[-1] += "  |  "
        if tag == "s":
            self._lines[-1] += "[-"

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden -= 1
        if tag == "s":
            self._lines[-1] = self._lines[-1].rstrip() + "-]"
        if tag in _NEW_LINE or tag in _BEFORE:
            self._lines.append("")

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        words = " ".join("".join(one if one.isprintable() else " " for one in data).split())
        if not words:
            return
        last = self._lines[-1]
        glue = "" if not last or last.endswith((" ", "“", "[-", "#")) else " "
        self._lines[-1] = last + glue + words

    def lines(self) -> list[str]:
        """What was read."""
        return self._lines
