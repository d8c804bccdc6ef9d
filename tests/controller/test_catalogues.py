"""Every sentence a person may read has a Vietnamese translation, whose placeholders agree."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).parents[2]
PACKAGES = tuple(name for name in ("controller", "signer", "simulators") if (ROOT / name / "locale").is_dir())
KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd%]|\{\w+\}")


def sentences(package: str) -> Iterator[tuple[str, str, str | None]]:
    """Where, the sentence, and its plural."""
    for path in sorted((ROOT / package).rglob("*.*")):
        if "node_modules" in path.parts or path.suffix not in (".py", ".html"):
            continue
        method: Any = "python" if path.suffix == ".py" else babel_extract
        options = {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "encoding": "utf-8"}
        for line, message, *_ in extract_from_file(method, path, keywords=KEYWORDS, options=options):
            one, many = (message, None) if isinstance(message, str) else (*message, None)[:2]
            if one:
                yield f"{path.relative_to(ROOT)}:{line}", one, many


def catalogues(package: str) -> dict[str, Catalog]:
    found = sorted((ROOT / package / "locale" / "vi" / "LC_MESSAGES").glob("*.po"))
    assert found, "the demo speaks Vietnamese"
    return {path.stem: read_po(io.BytesIO(path.read_bytes()), locale="vi") for path in found}


def translations(package: str) -> dict[str, tuple[str, str]]:
    """For each sentence, the domain that has it and what it is in Vietnamese."""
    known: dict[str, tuple[str, str]] = {}
    for domain, catalogue in catalogues(package).items():
        for message in catalogue:
            key = message.id if isinstance(message.id, str) else message.id[0]
            text = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
            if key and text and "fuzzy" not in message.flags:
                known[key] = (domain, text)
    return known


def placeholders(text: str) -> set[str]:
    return {found.group(0) for found in PLACEHOLDER.finditer(text)}


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_every_sentence_is_translated(package: str) -> None:
    known = translations(package)
    missing = {f"{where}: {one}" for where, one, _ in sentences(package) if one not in known}
    assert not missing, "\n".join(sorted(missing))


@pytest.mark.parametrize("package", PACKAGES)
def test_placeholders_agree(package: str) -> None:
    wrong = []
    for domain, catalogue in catalogues(package).items():
        for message in catalogue:
            ids = (message.id,) if isinstance(message.id, str) else message.id
            texts = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            wanted = placeholders(ids[-1])
            wrong += [f"{domain}: {text}" for text in texts if ids[0] and text and placeholders(text) != wanted]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", PACKAGES)
def test_same_sentence_has_one_translation(package: str) -> None:
    seen: dict[str, tuple[str, str]] = {}
    wrong = []
    for domain, catalogue in catalogues(package).items():
        for message in catalogue:
            if not isinstance(message.id, str) or not message.id or not message.string:
                continue
            other, text = seen.setdefault(message.id, (domain, str(message.string)))
            if text != message.string:
                wrong.append(f"{message.id}: {other} says “{text}”, {domain} says “{message.string}”")
    assert not wrong, "\n".join(wrong)
