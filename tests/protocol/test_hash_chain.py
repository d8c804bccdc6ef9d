"""Chain and checkpoint: what continues, what does not, and the test vector of the wire format."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from protocol import codec
from protocol.checkpoint import Checkpoint, only_extended, read_checkpoint
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.errors import DocumentError, Refusal
from protocol.hash_chain import EMPTY, NO_HASH, BrokenChainError, ChainState, LogEntry, follow, next_entry
from protocol.keys import SigningKey
from protocol.units import UnitPath

FRESHNESS = SigningKey.from_seed(bytes([6]) * 32)
AT = WallMs(1_764_000_000_000)


def chain(*digits: str) -> list[LogEntry]:
    state, made = EMPTY, []
    for digit in digits:
        entry = next_entry(state, digest=digit * 64, kind="alert", scope=UnitPath("vn/92/31498"), stored=AT)
        state = follow(state, [entry])
        made.append(entry)
    return made


def checkpoint(state: ChainState) -> Checkpoint:
    return Checkpoint(log=state.log, size=state.size, root=state.root, issued=AT)


def test_hash_by_other_means() -> None:
    [entry] = chain("a")
    text = f"loalang-log-v1\n0\n{'a' * 64}\nalert\nvn/92/31498\n1764000000000\n{NO_HASH}\n"
    assert entry.hash == hashlib.sha256(text.encode()).hexdigest()


def test_extension_is_followed() -> None:
    log = chain("a", "b", "c")
    former = follow(EMPTY, log[:1])
    only_extended(former, checkpoint(follow(EMPTY, log)), log[1:])
    assert former.log == log[0].hash


@pytest.mark.parametrize("changed", [{"kind": "stop"}, {"stored": 1}, {"digest": "f" * 64}, {"hash": "e" * 64}])
def test_altered_entry(changed: dict[str, object]) -> None:
    log = chain("a", "b", "c")
    log[1] = replace(log[1], **changed)  # type: ignore[arg-type]
    with pytest.raises(BrokenChainError) as caught:
        follow(EMPTY, log)
    assert caught.value.index == 1


def test_missing_and_repeated_entry() -> None:
    log = chain("a", "b", "c")
    for wrong in ([log[0], log[2]], [log[0], log[0]], log[1:]):
        with pytest.raises(BrokenChainError):
            follow(EMPTY, wrong)


def test_two_stories() -> None:
    former = follow(EMPTY, chain("a", "b"))
    for other in (chain("a", "c", "d"), chain("b", "a", "c"), chain("a")):
        with pytest.raises(BrokenChainError):
            only_extended(former, checkpoint(follow(EMPTY, other)), other[2:])


def test_entries_that_lead_elsewhere() -> None:
    log = chain("a", "b", "c")
    with pytest.raises(BrokenChainError):
        only_extended(EMPTY, checkpoint(follow(EMPTY, log)), log[:2])


def test_checkpoint_of_a_stranger() -> None:
    payload = codec.encode(checkpoint(follow(EMPTY, chain("a"))))
    good = sign(Kind.CHECKPOINT, payload, [FRESHNESS])
    assert read_checkpoint(good, [FRESHNESS.public]).size == 1
    for wrong in (sign(Kind.CHECKPOINT, payload, [SigningKey.generate()]), sign(Kind.HEAD, payload, [FRESHNESS])):
        with pytest.raises(DocumentError):
            read_checkpoint(wrong, [FRESHNESS.public])


@pytest.mark.parametrize(
    "payload",
    [
        f'{{"issued":1,"log":"{"a" * 64}","root":"{"a" * 64}","size":0}}',
        f'{{"issued":1,"log":"{"a" * 64}","root":"{"b" * 64}","size":1}}',
        f'{{"issued":1,"log":"A","root":"{"b" * 64}","size":2}}',
    ],
)
def test_checkpoint_that_is_none(payload: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_checkpoint(sign(Kind.CHECKPOINT, payload.encode(), [FRESHNESS]), [FRESHNESS.public])
    assert caught.value.refusal is Refusal.MALFORMED_DOCUMENT


@pytest.mark.parametrize("changed", [{"kind": "two words"}, {"scope": "vn//92"}, {"previous": "0"}, {"index": -1}])
def test_line_that_is_no_entry(changed: dict[str, object]) -> None:
    [entry] = chain("a")
    fields = {
        name: getattr(entry, name) for name in ("index", "digest", "kind", "scope", "stored", "previous", "hash")
    }
    with pytest.raises(DocumentError):
        codec.build(LogEntry, fields | changed)


def test_vector_of_the_wire_format() -> None:
    """The documents of the wire format's test vectors, entered one after the other, and their checkpoint."""
    documents = (
        ("403daed6d9ab8b2e67ff4bff5dd82775fcff5d7e83429015ef8995822cd5ece7", "grant", "vn/92"),
        ("d8093ea99ed215b53bb68e01fd34c36f8ce113602816fe3381c8737efaeb06e4", "grant", "vn/92/31498"),
        ("7fa3f1474d577f0ec2f8aec4b6f95d0a33ebfc00474621d1a34cd7a2e74e9536", "schedule", "vn/92/31498"),
        ("2c43c7e69b100ba76b770832d65c01426b09729157c34287205b24da65a6e0ea", "alert", "vn/92/31498"),
    )
    state = EMPTY
    for number, (digest, kind, scope) in enumerate(documents):
        stored = WallMs(AT + number)
        state = follow(state, [next_entry(state, digest=digest, kind=kind, scope=UnitPath(scope), stored=stored)])
    assert state.log == "f2e7404f77506905838d09e39706a79fc43cd033c8955e7f1d36762928698f81"
    assert state.root == "aba17227f7cc08040b84bb10e2c5ecc52f30ceb73dca4aa1e7844e714ed89888"
    made = Checkpoint(log=state.log, size=state.size, root=state.root, issued=WallMs(AT + 60_000))
    [signature] = sign(Kind.CHECKPOINT, codec.encode(made), [FRESHNESS]).signatures
    assert signature.signature.hex().startswith("d4c14fc15b51472a72b2d297fa8ea7bc")
