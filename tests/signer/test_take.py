"""What `take` says of a word whose grant is not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.envelope import Envelope
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from provisioning.demo import Ceremony
from signer.commands import parser, run
from signer.config import SignerConfig
from signer.terminal import Person
from signer.word_store import FOLDERS
from tests.signer import documents, office

FIRST = "take the grant it was signed under first"


C1 = SigningKey.from_seed(b"1" * 32)
C2 = SigningKey.from_seed(b"2" * 32)


class Taking:
    """A signer that knows the anchor alone, and somebody who types `take`."""

    def __init__(self, data: Path, folder: Path) -> None:
        self.data, self.folder = data, folder
        for kind in FOLDERS.values():
            for path in (data / kind).glob("*.json"):
                path.unlink()

    def take(self, *envelopes: Envelope, code: int) -> str:
        paths = []
        for number, one in enumerate(envelopes):
            path = self.folder / f"{number}.json"
            path.write_bytes(one.pack())
            paths.append(str(path))
        said: list[str] = []
        given = parser().parse_args(["take", *paths, "--data", str(self.data)])
        config = SignerConfig(self.data, "http://127.0.0.1:1")
        assert run(given, config, person=Person(say=said.append)) == code
        return "\n".join(said)


@pytest.fixture
def taking(ceremony: Ceremony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Taking:
    monkeypatch.setenv("LOALANG_LANG", "en")
    monkeypatch.setattr("signer.commands._wall", lambda: documents.NOW)
    return Taking(ceremony.data / "signer", tmp_path)


@pytest.fixture
def roots(ceremony: Ceremony) -> list[SigningKey]:
    return office.anchor_keys(ceremony)


def test_key_that_no_grant_here_names(taking: Taking, roots: list[SigningKey]) -> None:
    word = office.signed(office.first_words(issued=documents.NOW), [C1])
    assert FIRST in taking.take(word, code=1)
    above = office.signed(office.grant([C1.public], scope=UnitPath("vn/92"), verbs=(Verb.ASSIGN,)), roots)
    assert "refused" not in taking.take(above, word, code=0)


def test_key_that_counts_alone_only_in_another_grant(taking: Taking, roots: list[SigningKey]) -> None:
    """As an office's holder signs alone under the grant for daily work, which nobody brought."""
    both = {"scope": UnitPath("vn/92"), "verbs": (Verb.ASSIGN,), "threshold": 2}
    wide = office.signed(office.grant([C1.public, C2.public], **both), roots)
    word = office.signed(office.first_words(issued=documents.NOW), [C1])
    shown = taking.take(wide, word, code=1)
    assert "threshold_not_met" in shown and FIRST in shown and "another signature is missing" in shown
