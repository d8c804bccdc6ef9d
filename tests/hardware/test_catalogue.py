"""Every sentence that a person at the board may read has a Vietnamese translation, whose placeholders agree."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from hardware.i18n import Catalogue, read_catalogue
from tests.controller.test_catalogues import placeholders, sentences

SOURCE = Path(__file__).parents[2] / "hardware/locale/vi/LC_MESSAGES/hardware.po"


@pytest.mark.slow
def test_every_sentence_is_translated() -> None:
    known = read_catalogue(SOURCE.read_text())
    missing = {f"{where}: {one}" for where, one, _ in sentences("hardware") if one not in known}
    assert not missing, "\n".join(sorted(missing))


def test_placeholders_agree() -> None:
    for one, text in read_catalogue(SOURCE.read_text()).items():
        assert placeholders(one) == placeholders(text), one


def test_catalogue_is_read_as_babel_reads_it() -> None:
    babel = {
        str(one.id): str(one.string) for one in read_po(io.BytesIO(SOURCE.read_bytes())) if one.id and one.string
    }
    assert read_catalogue(SOURCE.read_text()) == babel


def test_catalogue_takes_rubbish() -> None:
    dice = random.Random(8)
    text = SOURCE.read_text()
    for _ in range(200):
        at = dice.randrange(len(text))
        read_catalogue(text[at : at + 500])
        read_catalogue(dice.randbytes(300).decode("latin-1"))


def test_missing_catalogue_leaves_english(tmp_path: Path) -> None:
    assert Catalogue(tmp_path, "nothing").gettext("Disk") == "Disk"
