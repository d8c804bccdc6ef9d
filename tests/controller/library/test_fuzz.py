"""Mutated files are taken or refused; nothing else ever happens."""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.library.processing import process
from controller.library.refusal import SoundRefusedError
from tests.controller.library import material

pytestmark = pytest.mark.slow


@cache
def whole(kind: str) -> bytes:
    with TemporaryDirectory() as folder:
        layout = "stereo" if kind == "ogg" else "mono"
        return material.make(Path(folder) / "in", kind, seconds=0.8, layout=layout).read_bytes()


def take(content: bytes) -> None:
    """Processes bytes; only a refusal may come of it."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        source.write_bytes(content)
        with contextlib.suppress(SoundRefusedError):
            process(source, Path(folder) / "out", owner="vn/92", tell=lambda _stage, _seconds: None)


@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from(sorted(material.KINDS)),
    flips=st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 255)), min_size=1, max_size=30),
    cut=st.floats(0.05, 1),
)
def test_mutated_files_never_surprise(kind: str, flips: list[tuple[int, int]], cut: float) -> None:
    content = bytearray(whole(kind))
    for place, mask in flips:
        content[place % len(content)] ^= mask
    take(bytes(content[: int(len(content) * cut)]))


@settings(max_examples=80, deadline=None)
@given(
    magic=st.sampled_from(
        [b"OggS", b"fLaC", b"RIFF\xff\xff\xff\xffWAVE", b"\0\0\0\x20ftypM4A ", b"\xff\xfb", b"ID3", b""]
    ),
    rest=st.binary(max_size=600),
)
def test_garbage_behind_a_magic_never_surprises(magic: bytes, rest: bytes) -> None:
    take(magic + rest)
