"""Who is asked for a target, in which order, and why a role has one parent."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.ngclient import Updater

from simulators.tuf_repository import MemoryFetcher, TufRepository
from tests.edge.updates.conftest import Pole


def asked_roles(pole: Pole) -> list[str]:
    """Delegated roles in the order in which they were fetched."""
    return [path.partition(".")[2].removesuffix(".json") for path in pole.asked[4:] if path.startswith("metadata/")]


def delegations(repository: TufRepository, *pairs: str, terminating: str = "") -> None:
    for pair in pairs:
        parent, child = pair.split(">")
        repository.delegate(parent, child, terminating=pair == terminating)
    repository.renew("targets", *{pair.split(">")[1] for pair in pairs})


def test_roles_are_asked_depth_first(pole: Pole, repository: TufRepository) -> None:
    delegations(repository, "targets>a", "targets>b", "a>c", "a>d")
    assert pole.take("missing") is None
    assert asked_roles(pole) == ["a", "c", "d", "b"]


def test_terminating_role_ends_the_search(pole: Pole, repository: TufRepository) -> None:
    delegations(repository, "targets>a", "targets>b", "a>c", "a>d", terminating="a>c")
    assert pole.take("missing") is None
    assert asked_roles(pole) == ["a", "c"]


def test_first_role_in_order_wins(pole: Pole, repository: TufRepository) -> None:
    repository.delegate("targets", "a")
    repository.delegate("targets", "b")
    repository.add("file", b"of b", role="b")
    repository.add("file", b"of a", role="a")
    repository.renew("targets", "a", "b")
    assert pole.take("file") == b"of a"


def test_role_speaks_only_for_its_paths(pole: Pole, repository: TufRepository) -> None:
    repository.delegate("targets", "a", paths=["a/*"])
    repository.add("b/file", b"!", role="a")
    repository.renew("targets", "a")
    assert pole.take("b/file") is None


def test_role_in_a_circle_is_refused(pole: Pole, repository: TufRepository) -> None:
    # Two parents by definition; without our rule the search would merely skip it.
    delegations(repository, "targets>a", "a>b", "b>a")
    with pytest.raises(RepositoryError, match="two others"):
        pole.take("missing")
    assert asked_roles(pole) == ["a", "b"]


def test_role_with_two_parents_is_refused(pole: Pole, repository: TufRepository) -> None:
    delegations(repository, "targets>a", "targets>b", "a>c", "b>c")
    with pytest.raises(RepositoryError, match="'c' is delegated by two others"):
        pole.take("missing")


def test_two_parents_of_an_unused_role_do_no_harm(pole: Pole, repository: TufRepository) -> None:
    repository.delegate("targets", "a")
    repository.delegate("targets", "b")
    repository.delegate("a", "c", paths=["never/*"])
    repository.delegate("b", "c", paths=["never/*"])
    repository.add("file", b"!", role="b")
    repository.renew("targets", "a", "b")
    assert pole.take("file") == b"!"


def two_parents(repository: TufRepository) -> None:
    """`shared` speaks for a/ by the word of `a`, and for b/ by the word of `b`, who is no friend of a."""
    for parent in ("a", "b"):
        repository.delegate("targets", parent, paths=[f"{parent}/*"])
        repository.delegate(parent, "shared", paths=[f"{parent}/*"])
    key_of_a, key_of_b = repository.signers["shared"]
    repository.add("a/1", b"by a", role="shared")
    repository.add("a/2", b"by a", role="shared")
    repository.renew("targets", "a", "b")
    repository.signed["shared"].version = 1
    repository.files["honest"] = repository.publish("shared", signers=[key_of_a])
    repository.add("a/2", b"by b, who may not", role="shared")
    repository.add("b/1", b"by b", role="shared")
    repository.files["hostile"] = repository.publish("shared", signers=[key_of_b])
    repository.renew()


def serve(repository: TufRepository, which: str) -> None:
    repository.files["metadata/1.shared.json"] = repository.files[which]


def test_second_parent_would_speak_for_the_first(repository: TufRepository, tmp_path: Path) -> None:
    # The attack, on python-tuf as it is. When this fails, the library has learned it and our rule may go.
    two_parents(repository)
    updater = Updater(
        str(tmp_path),
        "memory://metadata/",
        fetcher=MemoryFetcher(repository),
        bootstrap=repository.files["metadata/1.root.json"],
    )
    updater._trusted_set.reference_time = repository.expires.replace(day=1)
    serve(repository, "honest")
    assert updater.get_targetinfo("a/1")
    serve(repository, "hostile")
    assert updater.get_targetinfo("b/1")
    stolen = updater.get_targetinfo("a/2")
    assert stolen and stolen.length == len(b"by b, who may not")


def test_second_parent_does_not_speak_for_the_first(pole: Pole, repository: TufRepository) -> None:
    two_parents(repository)
    updater = pole.updater()
    serve(repository, "honest")
    assert updater.get_targetinfo("a/1")
    serve(repository, "hostile")
    with pytest.raises(RepositoryError, match="two others"):
        updater.get_targetinfo("b/1")
    found = updater.get_targetinfo("a/2")
    assert found and found.length == len(b"by a")


def test_next_process_verifies_against_its_own_parent(pole: Pole, repository: TufRepository) -> None:
    two_parents(repository)
    serve(repository, "hostile")
    assert pole.take("b/1") == b"by b"
    with pytest.raises(UnsignedMetadataError):
        pole.take("a/2")


@pytest.mark.parametrize("name", ["?", "#", "/role", "../role", "vai trò"])
def test_odd_role_names_stay_in_the_directory(pole: Pole, repository: TufRepository, name: str) -> None:
    delegations(repository, f"targets>{name}")
    assert pole.take("missing") is None
    assert pole.asked[-1] == f"metadata/2.{quote(name, '')}.json"
    assert (pole.metadata / f"{quote(name, '')}.json").is_file()
