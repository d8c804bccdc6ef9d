"""The anchor and the root's word through TUF, in the real child process, from a web server and from a stick."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from protocol import codec
from protocol.clock import WallMs
from protocol.denial import Denied, RootWord, grantor_id, read_root_word
from provisioning.demo import Ceremony
from signer.commands import parser, run
from signer.config import SignerConfig
from signer.errors import UpdateError
from signer.expiry import root_ending
from signer.root import STICK_FOLDER, metadata_of, update
from signer.terminal import Person
from signer.word_store import ROOT_WORD, WordStore
from simulators.tuf_repository import TufRepository
from tests.edge.updates.web import serving
from tests.signer import documents

pytestmark = pytest.mark.slow

ANCHOR = grantor_id(documents.PROVINCE, "anchor")


def word(version: int, *denied: tuple[str, int]) -> bytes:
    made = tuple(Denied(documents.PROVINCE, holder, epoch) for holder, epoch in denied)
    return codec.encode(RootWord(version, made))


@pytest.fixture
def repository(ceremony: Ceremony) -> TufRepository:
    made = TufRepository(begin=datetime.now(UTC))
    made.add("anchor.json", ceremony.anchor_path.read_bytes())
    made.add("root-word.json", word(1, ("anchor", 1)))
    made.renew("targets")
    return made


@pytest.fixture
def data(ceremony: Ceremony, repository: TufRepository) -> Path:
    """A signer whose enrolment pinned the root."""
    directory = ceremony.data / "signer"
    (directory / "root.json").write_bytes(repository.files["metadata/1.root.json"])
    return directory


def stick(directory: Path, repository: TufRepository) -> Path:
    for name, content in repository.files.items():
        path = directory / STICK_FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


def test_root_takes_back_what_the_anchor_gave(data: Path, repository: TufRepository) -> None:
    store = WordStore(data)
    assert not store.known().denied
    with serving(_below(repository)) as web:
        done = update(data, controller=web.url)
    assert (done.anchor, done.word, done.software) == (False, True, None)
    known = store.known()
    assert known.denied == {ANCHOR: 1}
    assert all(known.objection(held, documents.NOW) for held in known.grants.values())


def _below(repository: TufRepository) -> dict[str, bytes]:
    return {f"root/{path}": content for path, content in repository.files.items()}


def test_stick_does_what_the_network_does(data: Path, repository: TufRepository, tmp_path: Path) -> None:
    said: list[str] = []
    given = parser().parse_args(["update", "--usb", str(stick(tmp_path, repository))])
    assert run(given, SignerConfig(data), person=Person(said.append)) == 0
    assert len(said) == 2
    assert WordStore(data).known().denied == {ANCHOR: 1}
    ending = root_ending(metadata_of(data), WallMs(int((datetime.now(UTC) + timedelta(days=20)).timestamp() * 1000)))
    assert ending is not None
    assert ending.step == 14


def test_denied_once_is_denied_for_ever(data: Path, repository: TufRepository, tmp_path: Path) -> None:
    update(data, controller="", stick=stick(tmp_path, repository))
    repository.add("root-word.json", word(2, ("Ủy ban", 4)))
    repository.renew("targets")
    assert update(data, controller="", stick=stick(tmp_path, repository)).word
    stored = read_root_word((data / ROOT_WORD).read_bytes())
    assert {(one.holder, one.epoch) for one in stored.denied} == {("anchor", 1), ("Ủy ban", 4)}
    assert not update(data, controller="", stick=tmp_path).word


def test_forged_root_changes_nothing(data: Path, repository: TufRepository, tmp_path: Path) -> None:
    stranger = TufRepository(begin=datetime.now(UTC))
    stranger.add("anchor.json", b"{}")
    stranger.renew("targets")
    with pytest.raises(UpdateError):
        update(data, controller="", stick=stick(tmp_path, stranger))
    assert not (data / ROOT_WORD).exists()
    said: list[str] = []
    given = parser().parse_args(["update", "--usb", str(tmp_path)])
    assert run(given, SignerConfig(data), person=Person(said.append)) == 1
    assert "Traceback" not in said[0]


def test_signer_without_a_root_says_what_to_do(ceremony: Ceremony) -> None:
    with pytest.raises(UpdateError, match=r"root\.json"):
        update(ceremony.data / "signer", controller="http://127.0.0.1:1")
