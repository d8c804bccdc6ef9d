"""A device's card after years: databases, the mirror of the documents and the media, with bits that flipped."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from edge.adapters.document_mirror import DocumentMirror
from edge.adapters.media_store import DiskMediaStore
from edge.adapters.outbox import SqliteOutbox
from edge.adapters.state_store import SqliteStateStore
from edge.core.effects import StoredDocument
from edge.reporter import Letter
from protocol.bulletin import MediaRef
from protocol.document import Kind
from tests.fuzz import material
from tests.fuzz.device_targets import folder
from tests.fuzz.target import Target

_MODULES = ("protocol", "edge")
REGISTERS = b'{"versions":[{"name":"schedule/vn","value":7}],"denied":[{"name":"vn","value":3}]}'
ENVELOPES = tuple(material.spoken()[kind].pack() for kind in (Kind.GRANT, Kind.SCHEDULE))
LETTER = Letter("loalang/v1/d/c07/up/fault", b"{}", 1)


@cache
def _pattern() -> dict[str, bytes]:
    """The files of a device that was switched off in order."""
    with folder() as directory:
        store = SqliteStateStore(directory, ballast_bytes=0)
        store.load()
        put = tuple(StoredDocument(f"key-{at}", one) for at, one in enumerate(ENVELOPES))
        store.save(REGISTERS, put, ())
        store.close()
        outbox = SqliteOutbox(directory / "outbox.db")
        outbox.append([LETTER] * 3)
        outbox.close()
        return {
            str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
        }


def _laid_out(directory: Path, **changed: bytes) -> None:
    for name, content in (_pattern() | changed).items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def state_database(data: bytes) -> None:
    """A database that rots: the registers as they were, or none and told as damage; and it can be written again."""
    with folder() as directory:
        _laid_out(directory, **{"state.db": data})
        store = SqliteStateStore(directory, ballast_bytes=0)
        stored = store.load()
        assert stored.registers == REGISTERS or (stored.registers is None and stored.damaged), (
            "silently other registers"
        )
        assert set(stored.envelopes) == set(ENVELOPES), "documents that the mirror held are lost"
        store.save(b"{}", (StoredDocument("key-9", b"new"),), ("key-0",))
        store.close()
        again = SqliteStateStore(directory, ballast_bytes=0)
        assert again.load().registers == b"{}", "what was saved is not there after the next start"
        again.close()


def outbox_database(data: bytes) -> None:
    """Reports are lost with their database, never the way for new ones."""
    with folder() as directory:
        _laid_out(directory, **{"outbox.db": data})
        outbox = SqliteOutbox(directory / "outbox.db")
        outbox.append([LETTER])
        kept = outbox.oldest(100)
        if not kept:  # set aside just now
            outbox.append([LETTER])
            kept = outbox.oldest(100)
        assert kept, "nothing can be kept any more"
        outbox.delete([one.id for one in kept])
        assert not outbox.oldest(100), "what was acknowledged is sent again"
        assert all(isinstance(one.letter.payload, bytes) for one in kept)
        outbox.close()


def mirror(data: bytes) -> None:
    """Files of the mirror: whole ones only, whatever they are called and whatever lies beside them."""
    with folder() as directory:
        _laid_out(directory)
        (directory / "state.db").unlink()
        documents = directory / "documents"
        name = next(iter(sorted(documents.iterdir()))).name
        (documents / f"{'0' * 16}-{hashlib.sha256(data).hexdigest()}").write_bytes(data)
        key, _, envelope = data.partition(b"\n")
        short = hashlib.sha256(key.decode(errors="replace").encode()).hexdigest()[:16]
        (documents / f"{short}-{hashlib.sha256(envelope).hexdigest()}").write_bytes(data)
        (documents / name).write_bytes(data[:200])
        found = DocumentMirror(documents).read()
        assert len(found) <= 2
        for one in found:
            assert one.document.envelope in (*ENVELOPES, envelope)
        store = SqliteStateStore(directory, ballast_bytes=0)
        assert store.load().damaged
        store.close()


def media_directory(data: bytes) -> None:
    """Odd names and half downloads in the directory of media: none passes for a medium, none stops the agent."""
    wanted = MediaRef(hashlib.sha256(data + b"!").hexdigest(), len(data) + 1, 1000)
    with folder() as directory:
        name = data[:60].decode("latin-1").replace("/", "-").replace("\0", "-").strip(".") or "odd"
        (directory / name[:120]).write_bytes(data)
        (directory / "lost+found").mkdir()
        (directory / f"{wanted.digest}.part").write_bytes(data)
        store = DiskMediaStore(directory, reserve_bytes=0)
        assert not store.digests() - {name[:64]}
        sink = store.sink(wanted)
        asyncio.run(_finish(sink))
        assert store.digests() >= {wanted.digest}


async def _finish(sink: Any) -> None:
    await sink.write(b"!")
    await sink.finish()
    await sink.close()


def _of(run: Callable[[bytes], None], seeds: Callable[[], list[bytes]], *, most: int) -> Target:
    return Target(run, seeds, _MODULES, runs=400, examples=most, size_max=70_000)


TARGETS = {
    "state_database": _of(state_database, lambda: [_pattern()["state.db"]], most=80),
    "outbox_database": _of(outbox_database, lambda: [_pattern()["outbox.db"]], most=80),
    "mirror": _of(mirror, lambda: [b"key-0\n" + ENVELOPES[0], b"\xff\xfe\n{}", *material.FOREIGN], most=40),
    "media_directory": _of(media_directory, lambda: [b"0" * 64 + b".64", b"x.part", b"\xff\xfe"], most=40),
}
