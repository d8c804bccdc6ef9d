"""Logs that only the province opens."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import DocumentError
from protocol.sealed import LABEL_BYTES_MAX, MAGIC, PIECE_BYTES, LogKey, log_key, read_label, seal, unseal

KEY = LogKey.from_secret(b"k" * 32)
LABEL = b'{"device":"dev-c07"}'
HEADER_BYTES = len(MAGIC) + 2 + len(LABEL) + 32


def sealed(*pieces: bytes, label: bytes = LABEL) -> bytes:
    return b"".join(seal(pieces, recipient=KEY.public, label=label))


def opened(data: bytes, key: LogKey = KEY) -> bytes:
    return b"".join(unseal(io.BytesIO(data).read, key))


@given(st.lists(st.binary(max_size=300)), st.sampled_from([0, 1, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES + 1]))
def test_what_was_sealed_is_opened(pieces: list[bytes], more: int) -> None:
    data = sealed(*pieces, bytes(more))
    assert opened(data) == b"".join(pieces) + bytes(more)
    assert read_label(io.BytesIO(data).read) == LABEL


def test_nothing_is_sealed_as_well() -> None:
    assert opened(sealed()) == b""


def test_two_seals_differ() -> None:
    assert sealed(b"log") != sealed(b"log")


def test_no_more_than_a_piece_is_held() -> None:
    taken: list[int] = []

    def portions() -> Iterable[bytes]:
        for number in range(40):
            taken.append(number)
            yield bytes(PIECE_BYTES // 2)

    made = seal(portions(), recipient=KEY.public, label=LABEL)
    next(made)
    next(made)
    assert len(taken) == 3


def refused(data: bytes, key: LogKey = KEY) -> str:
    with pytest.raises(DocumentError) as error:
        opened(data, key)
    return error.value.detail


def test_wrong_key() -> None:
    assert "another key" in refused(sealed(b"log"), LogKey.generate())


@pytest.mark.parametrize("size", [PIECE_BYTES // 2, PIECE_BYTES, PIECE_BYTES * 2, PIECE_BYTES * 2 + 7])
@pytest.mark.parametrize("lost", [1, 16, PIECE_BYTES + 16, PIECE_BYTES // 3])
def test_cut_off(size: int, lost: int) -> None:
    data = sealed(bytes(size))
    assert refused(data[: max(HEADER_BYTES, len(data) - lost)])


def test_something_was_added() -> None:
    assert refused(sealed(b"log") + b"x")
    assert refused(sealed(bytes(PIECE_BYTES)) + b"x")


def test_pieces_were_exchanged() -> None:
    data, step = sealed(bytes(3 * PIECE_BYTES)), PIECE_BYTES + 16
    first, second = (data[HEADER_BYTES + at : HEADER_BYTES + at + step] for at in (0, step))
    assert refused(data[:HEADER_BYTES] + second + first + data[HEADER_BYTES + 2 * step :])


def test_other_device_was_named() -> None:
    assert refused(sealed(b"log").replace(b"dev-c07", b"dev-c08"))


NO_LOGS = [b"", MAGIC, MAGIC + b"\xff\xff", b"x" * 100, sealed(b"")[: HEADER_BYTES - 1]]


@pytest.mark.parametrize("data", NO_LOGS, ids=["empty", "magic", "long label", "another file", "cut off"])
def test_no_sealed_log(data: bytes) -> None:
    assert refused(data)


def test_ephemeral_key_of_small_order() -> None:
    data = sealed(b"log")
    assert "small order" in refused(data[: HEADER_BYTES - 32] + bytes(32) + data[HEADER_BYTES:])


def test_label_is_short() -> None:
    with pytest.raises(ValueError, match="at most"):
        sealed(label=b"x" * (LABEL_BYTES_MAX + 1))


def test_secret_is_never_printed() -> None:
    assert LogKey.from_secret(KEY.secret()).public == KEY.public
    assert KEY.secret().hex() not in repr(KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zz" * 32,
        KEY.public.upper(),
        KEY.public[:-2],
        KEY.public + "00",
        "00" * 32,
        "01" + "00" * 31,
        (2**255 - 19 + 9).to_bytes(32, "little").hex(),
        "ff" * 32,
    ],
)
def test_key_that_may_not_be_pinned(text: str) -> None:
    with pytest.raises(DocumentError):
        log_key(text)


def test_key_that_may_be_pinned() -> None:
    assert log_key(KEY.public) == KEY.public


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_refused(data: bytes, begins_well: bool) -> None:
    assert refused(MAGIC + data if begins_well else data)


@given(st.integers(0, len(sealed(b"log")) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(at: int, change: int) -> None:
    data = bytearray(sealed(b"log"))
    data[at] ^= change
    assert refused(bytes(data))
