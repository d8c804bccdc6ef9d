"""What was signed here: shown, searched, saved, and its chain checked."""

from __future__ import annotations

import json

from protocol.document import Kind
from signer.signed_log import SignedLog
from tests.signer import documents
from tests.signer.conftest import Desk


async def sign_some(desk: Desk) -> None:
    await desk.sign(Kind.SCHEDULE, documents.schedule(documents.relay("a"), version=5))
    await desk.sign(Kind.ALERT, documents.alert(sequence=8))


async def test_log_is_shown_and_searched(desk: Desk) -> None:
    assert "Nothing was signed on this machine yet" in await desk.read(f"{desk.origin}/log?lang=en")
    await sign_some(desk)
    page = await desk.read(f"{desk.origin}/log")
    assert page.index("Cancel an emergency") < page.index("Broadcast schedule")
    assert "The chain of the log holds" in page
    found = await desk.read(f"{desk.origin}/log?q=long+ph%C3%BA")
    assert "3 signatures" in found
    assert "1 signature<" in await desk.read(f"{desk.origin}/log?q=schedule")
    assert "Nothing matches" in await desk.read(f"{desk.origin}/log?q=%3Cscript%3E")


async def test_log_is_saved_whole(desk: Desk) -> None:
    await sign_some(desk)
    async with desk.session.get(f"{desk.origin}/log.jsonl") as answer:
        saved = (await answer.read()).splitlines()
        assert "attachment" in answer.headers["Content-Disposition"]
    assert [json.loads(line)["kind"] for line in saved] == ["schedule", "alert", "cancel"]


async def test_changed_line_shows(desk: Desk) -> None:
    await sign_some(desk)
    folder = desk.ceremony.data / "signer" / "signed"
    lines = (folder / "log.jsonl").read_bytes().splitlines()
    for damaged in (
        [lines[0], lines[2]],
        lines[1:],
        [lines[0].replace(b"Lan", b"Sen"), *lines[1:]],
        [b"{", *lines[1:]],
        [lines[0], lines[2], lines[1]],
    ):
        (folder / "log.jsonl").write_bytes(b"\n".join(damaged) + b"\n")
        assert SignedLog(folder).broken_line() in (1, 2)
    (folder / "log.jsonl").write_bytes(b"\n".join([lines[0], lines[2]]) + b"\n")
    assert "somebody changed the log" in await desk.read(f"{desk.origin}/log?lang=en")
    (folder / "log.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    assert SignedLog(folder).broken_line() is None


async def test_lines_from_before_the_chain_are_no_break(desk: Desk) -> None:
    await sign_some(desk)
    folder = desk.ceremony.data / "signer" / "signed"
    lines = (folder / "log.jsonl").read_bytes().splitlines()
    bare = json.loads(lines[0])
    del bare["former"]
    (folder / "log.jsonl").write_text(json.dumps(bare) + "\n")
    log = SignedLog(folder)
    assert log.broken_line() is None
    envelope = desk.controller.taken[0]
    log.add(
        envelope,
        kind=Kind.STOP,
        document=documents.read_stop(),
        wall=documents.NOW,
        key="k",
        holder="h",
    )
    assert log.broken_line() is None
