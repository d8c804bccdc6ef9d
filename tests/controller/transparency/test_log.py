"""What is distributed is in the log, once and in one chain; whoever changes it is noticed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from controller.keys import ENGINE
from controller.store.engine import reading, writing
from controller.store.schema import audit, log_entries
from controller.transparency.checkpoint_file import FILE
from controller.transparency.domain import Soundness
from controller.transparency.keys import NOTARY
from controller.transparency.notary import SIGN_EVERY_MS, Notary
from protocol.checkpoint import Checkpoint, only_extended, read_checkpoint
from protocol.codec import build
from protocol.envelope import unpack
from protocol.hash_chain import EMPTY, LogEntry, follow, next_entry
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE, Hands, Person, RunningController, run_controller
from tests.controller.signing.authorities import Ceremony, post
from tests.controller.transparency.conftest import alert, by_hand, copied, english, schedule

pytestmark = pytest.mark.slow

FEW = ("web", "people", "units", "audit", "broker", "signing", "transparency")


async def entries(person: Person) -> list[LogEntry]:
    """The log, as anybody reads it."""
    answer = await person.call("GET", "/log")
    return [build(LogEntry, one) for one in answer["entries"]]


async def checkpoint(running: RunningController) -> Checkpoint:
    """The last one, verified with the pinned key."""
    answer = await running.stranger().call("GET", "/log/checkpoint")
    anchor = json.loads((running.config.data / "anchor.json").read_bytes())
    return read_checkpoint(unpack(answer["checkpoint"].encode()), anchor["freshness_keys"])


async def test_everything_complete_is_logged(controller: RunningController, ceremony: Ceremony) -> None:
    stranger = controller.stranger()
    sent = [schedule(controller, ceremony.ke_sach, version=1), alert(controller, ceremony.ke_sach)]
    await post(stranger, *sent)
    found = await entries(stranger)
    assert [one.digest for one in found[:4]] == [one.digest for one in ceremony.grants()]
    assert [(one.digest, one.kind, one.scope) for one in found[4:]] == [
        (sent[0].digest, "schedule", KE_SACH),
        (sent[1].digest, "alert", KE_SACH),
    ]
    assert follow(EMPTY, found).size == 6


async def test_partly_signed_waits(controller: RunningController, ceremony: Ceremony) -> None:
    stranger, province = controller.stranger(), ceremony.province
    await post(stranger, alert(controller, province[0], unit=PROVINCE))
    assert len(await entries(stranger)) == 4


async def test_refused_is_not_logged(controller: RunningController, ceremony: Ceremony) -> None:
    await post(controller.stranger(), schedule(controller, ceremony.tran_de, version=1))
    assert len(await entries(controller.stranger())) == 4


async def test_same_document_twice_is_logged_once(controller: RunningController, ceremony: Ceremony) -> None:
    sent = schedule(controller, ceremony.ke_sach, version=1)
    for _ in range(2):
        await post(controller.stranger(), sent)
    assert len(await entries(controller.stranger())) == 5


async def test_two_at_once_make_one_chain(controller: RunningController, ceremony: Ceremony) -> None:
    units = ((KE_SACH, ceremony.ke_sach), (TRAN_DE, ceremony.tran_de))
    sent = [alert(controller, one, unit=unit, sequence=number) for number in range(5) for unit, one in units]
    await asyncio.gather(*(post(controller.stranger(), one) for one in sent))
    found = await entries(controller.stranger())
    assert follow(EMPTY, found).size == 14
    assert {one.digest for one in found[4:]} == {one.digest for one in sent}


async def test_database_refuses_to_forget(controller: RunningController, ceremony: Ceremony) -> None:
    for act in (delete(log_entries), update(log_entries).values(kind="schedule")):
        with pytest.raises(DBAPIError, match="only ever extended"):
            async with writing(controller.app[ENGINE]) as connection:
                await connection.execute(act)


async def test_growth_is_signed_once_a_minute(
    controller: RunningController, ceremony: Ceremony, notary: Notary, hands: Hands
) -> None:
    await notary.turn()
    first = await checkpoint(controller)
    await post(controller.stranger(), schedule(controller, ceremony.ke_sach, version=1))
    await notary.turn()
    assert await checkpoint(controller) == first
    hands.passed_ms += SIGN_EVERY_MS
    await notary.turn()
    second = await checkpoint(controller)
    assert (first.size, second.size) == (4, 5)
    only_extended(first.state, second, (await entries(controller.stranger()))[first.size :])


async def test_nothing_new_is_not_signed_again(
    controller: RunningController, ceremony: Ceremony, notary: Notary, hands: Hands
) -> None:
    await notary.turn()
    first = await checkpoint(controller)
    hands.passed_ms += SIGN_EVERY_MS
    await notary.turn()
    assert await checkpoint(controller) == first


async def acts(running: RunningController) -> list[str]:
    async with reading(running.app[ENGINE]) as connection:
        return list(await connection.scalars(select(audit.c.act)))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entries SET scope = 'vn/92/31673' WHERE position = 2",
        "UPDATE log_entries SET digest = 'none' WHERE position = 2",
        "DELETE FROM log_entries WHERE position = 2",
    ],
)
async def test_edited_row_is_noticed_on_the_page(
    controller: RunningController, ceremony: Ceremony, notary: Notary, hands: Hands, statement: str
) -> None:
    await notary.turn()
    signed = await checkpoint(controller)
    by_hand(controller.config.data, statement)
    hands.passed_ms += SIGN_EVERY_MS
    person = await english(controller, "technician")
    text = await person.see("/transparency/log")
    assert "Entry 2 does not fit" in text
    assert "The log is not what was signed" in await person.see("/")
    assert "transparency.unsound" in await acts(controller)
    await post(controller.stranger(), schedule(controller, ceremony.ke_sach, version=1))
    await notary.turn()
    assert await checkpoint(controller) == signed, "nothing is signed over a broken log"


async def _restarted(data: Path) -> tuple[Soundness, list[str]]:
    async with run_controller(data, capabilities=FEW) as again:
        return again.app[NOTARY].finding.soundness, await acts(again)


async def test_deleted_tail_is_noticed_at_start(
    controller: RunningController, ceremony: Ceremony, notary: Notary, tmp_path: Path
) -> None:
    await notary.turn()
    copy = tmp_path / "copy"
    copied(controller.config.data, copy)
    by_hand(copy, "DELETE FROM log_entries WHERE position >= 3")
    soundness, noted = await _restarted(copy)
    assert soundness is Soundness.SHORTER
    assert "transparency.unsound" in noted


async def test_rewritten_log_is_noticed_at_start(
    controller: RunningController, ceremony: Ceremony, notary: Notary, tmp_path: Path
) -> None:
    await notary.turn()
    copy = tmp_path / "copy"
    copied(controller.config.data, copy)
    former = await entries(controller.stranger())
    by_hand(copy, "DELETE FROM log_entries", *_rewritten(former[1:]))
    soundness, _ = await _restarted(copy)
    assert soundness is Soundness.SHORTER
    by_hand(copy, "DELETE FROM log_entries", *_rewritten([*former[1:], former[0]]))
    soundness, _ = await _restarted(copy)
    assert soundness is Soundness.ANOTHER


def _rewritten(former: list[LogEntry]) -> list[str]:
    state, made = EMPTY, []
    for one in former:
        entry = next_entry(state, digest=one.digest, kind=one.kind, scope=one.scope, stored=one.stored)
        state = follow(state, [entry])
        values = (
            entry.index,
            entry.digest,
            entry.kind,
            str(entry.scope),
            int(entry.stored),
            entry.previous,
            entry.hash,
        )
        made.append(f"INSERT INTO log_entries VALUES {values}")
    return made


async def test_technician_lets_a_restored_log_go_on(
    controller: RunningController, ceremony: Ceremony, notary: Notary, hands: Hands
) -> None:
    await notary.turn()
    by_hand(controller.config.data, "DELETE FROM log_entries WHERE position >= 3")
    await notary.inspect()
    commune = await english(controller, "ke-sach-kt")
    assert (await commune.send("/transparency/begin-again", {"reason": "đã khôi phục bản sao lưu"})).status == 403
    person = await english(controller, "technician")
    assert "3 entries, but 4 were signed for" in await person.see("/transparency/log")
    answer = await person.send("/transparency/begin-again", {"reason": "đã khôi phục bản sao lưu"})
    assert answer.path == "/transparency/log"
    assert (await checkpoint(controller)).size == 3
    assert notary.finding.sound
    assert "transparency.begin_again" in await acts(controller)


async def test_documents_from_before_the_log_are_entered(
    controller: RunningController, ceremony: Ceremony, notary: Notary, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copied(controller.config.data, copy)
    by_hand(copy, "DELETE FROM log_entries")
    (copy / FILE).unlink(missing_ok=True)
    async with run_controller(copy, capabilities=FEW) as again:
        found = await entries(again.stranger())
        assert {one.digest for one in found} == {one.digest for one in ceremony.grants()}
        assert (await checkpoint(again)).size == 4


async def test_damaged_checkpoint_is_set_aside(
    controller: RunningController, ceremony: Ceremony, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copied(controller.config.data, copy)
    (copy / FILE).write_bytes(b"{")
    soundness, _ = await _restarted(copy)
    assert soundness is Soundness.SOUND
    assert (copy / FILE).with_suffix(".damaged").exists()


async def test_search_by_digest(controller: RunningController, ceremony: Ceremony) -> None:
    person, wanted = await english(controller, "tran-de"), ceremony.grants()[2].digest
    for asked in (wanted, wanted[:8].upper()):
        text = await person.see(f"/transparency/log?find={asked}")
        assert wanted in text and "Xã Kế Sách" in text
    assert "never distributed a document" in await person.see(f"/transparency/log?find={'0' * 64}")
    assert "at least four" in await person.see("/transparency/log?find=Trần")


async def test_page_shows_own_units_and_those_above(controller: RunningController, ceremony: Ceremony) -> None:
    digests = [one.digest[:16] for one in ceremony.grants()]
    text = await (await english(controller, "tran-de")).see("/transparency/log")
    assert [one in text for one in digests] == [True, True, False, True]


async def test_download_leads_to_the_checkpoint(
    controller: RunningController, ceremony: Ceremony, notary: Notary
) -> None:
    await notary.turn()
    person = await english(controller, "auditor")
    lines = (await person.see("/transparency/log.jsonl")).splitlines()
    found: list[Any] = [build(LogEntry, json.loads(line)) for line in lines]
    kept = unpack((await person.see("/transparency/checkpoint.json")).encode())
    only_extended(EMPTY, await checkpoint(controller), found)
    assert kept.digest


async def test_menu_is_for_those_who_oversee(controller: RunningController, ceremony: Ceremony) -> None:
    for login, there in (("technician", True), ("ke-sach-kt", True), ("operator", True), ("ke-sach", False)):
        text = await (await english(controller, login)).see("/")
        assert ('href="/transparency"' in text) is there, login
