"""Signing where no network leads: files in, files out, at the page and at the terminal."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from protocol.authority import authorise
from protocol.clock import DAY_MS, MonoMs
from protocol.document import Kind
from protocol.envelope import Envelope, unpack
from protocol.grants import accept_all
from provisioning.cli import app
from signer import i18n
from signer.app import make_pen
from signer.commands import parser, run
from signer.config import SignerConfig
from signer.errors import RequestRefusedError, WrongPassphraseError
from signer.rendering import as_text
from signer.signing import HandOver
from signer.terminal import Errand, Person, framed, sign_file
from tests.signer import documents, office
from tests.signer.conftest import Desk


def request_file(path: Path, kind: Kind, payload: bytes, *, controller: str) -> Path:
    """What the controller's page saves."""
    path.write_text(json.dumps(HandOver(controller, kind, payload, f"{controller}/signing").form()))
    return path


@dataclass
class Sitting:
    """Someone at the terminal: the answers they type, and all they were told."""

    answers: list[str]
    secret: str
    said: list[str] = field(default_factory=list)

    def person(self) -> Person:
        return Person(self.said.append, lambda _prompt: self.answers.pop(0), lambda _prompt: self.secret)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


async def sit(desk: Desk, errand: Errand, *answers: str, secret: str = "", lang: str = "en") -> Sitting:
    i18n.use_language(lang)
    config = SignerConfig(desk.ceremony.data / "signer", desk.controller.origin)
    sitting = Sitting([*answers], secret or desk.ceremony.person("c1").passphrase)
    pen = make_pen(config, lambda: MonoMs(0))
    await sign_file(errand, config=config, pen=pen, wall=documents.NOW, person=sitting.person())
    return sitting


def signed_in(path: Path) -> list[Envelope]:
    return [unpack(one.encode()) for one in json.loads(path.read_bytes())["envelopes"]]


async def test_terminal_shows_and_signs_what_the_page_would(desk: Desk, tmp_path: Path) -> None:
    payload = documents.schedule(documents.programme("a"), documents.relay("b"))
    asked = request_file(tmp_path / "ask.json", Kind.SCHEDULE, payload, controller=desk.controller.origin)
    done = tmp_path / "done.json"
    sitting = await sit(desk, Errand(asked, done, key="c1"), "yes")
    for words in ("Broadcast schedule", "Bản tin a", "9 loudspeakers", "about 14,200 people", "Recording checked"):
        assert words in sitting.text, words
    (envelope,) = signed_in(done)
    grants = accept_all(desk.ceremony.grants, desk.ceremony.anchor, {})[0]
    assert authorise(envelope, anchor=desk.ceremony.anchor, grants=grants, wall=documents.NOW, denied={})
    assert desk.log()[-1]["digest"] == envelope.digest
    assert not desk.controller.taken


async def test_recordings_come_from_a_stick(desk: Desk, tmp_path: Path) -> None:
    desk.controller.media.clear()
    payload = documents.schedule(documents.programme("a"))
    asked = request_file(tmp_path / "ask.json", Kind.SCHEDULE, payload, controller=desk.controller.origin)
    stick = tmp_path / "stick" / "media"
    stick.mkdir(parents=True)
    (stick / "sound.ogg").write_bytes(documents.SOUND[:-1] + b"x")
    errand = Errand(asked, tmp_path / "done.json", media=stick.parent, key="c1")
    with pytest.raises(RequestRefusedError, match="recording could not be checked"):
        await sit(desk, errand, "yes")
    (stick / "other.ogg").write_bytes(documents.SOUND)
    await sit(desk, errand, "yes")
    assert len(signed_in(errand.out)) == 1


async def test_real_emergency_is_typed_out(desk: Desk, tmp_path: Path) -> None:
    asked = request_file(tmp_path / "ask.json", Kind.ALERT, documents.alert(), controller=desk.controller.origin)
    errand = Errand(asked, tmp_path / "done.json", key="c1")
    with pytest.raises(RequestRefusedError, match="Nothing was signed"):
        await sit(desk, errand, "yes")
    assert not errand.out.exists()
    sitting = await sit(desk, errand, "THAT", lang="vi")
    assert "KHẨN CẤP THẬT" in sitting.text
    assert "!!!!!!" in sitting.text
    assert [one.kind for one in signed_in(errand.out)] == ["alert", "cancel"]


def test_frames_differ_without_colours() -> None:
    i18n.use_language("en")
    texts = [framed(kind, "x") for kind in (Kind.ALERT, Kind.ALERT_DRILL, Kind.ALERT_TEST, Kind.SCHEDULE)]
    assert len({text.splitlines()[0] for text in texts}) == 4
    assert "REAL EMERGENCY" in texts[0]
    assert "DRILL" in texts[1]
    assert "TEST" in texts[2]


async def test_second_person_signs_the_first_ones_file(desk: Desk, tmp_path: Path) -> None:
    targets = (documents.COMMUNE, documents.OTHER)
    payload = documents.alert(scope=documents.PROVINCE, targets=targets)
    asked = request_file(tmp_path / "ask.json", Kind.ALERT, payload, controller=desk.controller.origin)
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    one = await sit(desk, Errand(asked, first, key="p1"), "real", secret=desk.ceremony.person("p1").passphrase)
    assert "waits for the next signature" in one.text
    await sit(desk, Errand(first, second, key="p2"), "real", secret=desk.ceremony.person("p2").passphrase)
    assert [len(made.signatures) for made in signed_in(second)] == [2, 2]


async def test_wrong_words_at_the_terminal(desk: Desk, tmp_path: Path) -> None:
    asked = request_file(tmp_path / "ask.json", Kind.STOP, documents.stop(), controller=desk.controller.origin)
    errand = Errand(asked, tmp_path / "done.json")
    with pytest.raises(RequestRefusedError, match="choose who signs"):
        await sit(desk, errand, "9")
    with pytest.raises(WrongPassphraseError, match=r"not right.*4 tries left"):
        await sit(desk, errand, "1", "yes", secret="sai")
    with pytest.raises(RequestRefusedError, match="cannot be read"):
        await sit(desk, Errand(tmp_path / "none.json", errand.out))
    asked.write_text("[]")
    with pytest.raises(RequestRefusedError, match="not a request"):
        await sit(desk, errand)
    asked.write_text('{"envelopes": []}')
    with pytest.raises(RequestRefusedError, match="not a request"):
        await sit(desk, errand)
    assert not errand.out.exists()


def test_words_of_a_document_cannot_move_the_cursor() -> None:
    text = as_text("<h1>A</h1><p>x\x1b[2Jy\u202ez</p><ul><li>b</li></ul><audio>no</audio><s>c</s>")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.splitlines() == ["# A", "x [2Jy z", "  • b", "[-c-]"]


async def upload(desk: Desk, act: str, *contents: bytes, token: str = "") -> tuple[int, str, str]:
    page = await desk.read(f"{desk.origin}/file?lang=en")
    form = aiohttp.FormData()
    form.add_field("token", token or page.split('name="token" value="')[1].split('"')[0])
    for content in contents:
        form.add_field("file", content, filename="x.json", content_type="application/json")
    async with desk.session.post(f"{desk.origin}/file/{act}", data=form) as answer:
        return answer.status, await answer.text(), str(answer.url)


async def test_file_is_opened_in_the_page_and_leaves_as_a_file(desk: Desk) -> None:
    form = desk.form(Kind.SCHEDULE, documents.schedule(documents.relay("b")))
    desk.clock["wall"] += 3 * DAY_MS
    status, page, address = await upload(desk, "sign", json.dumps(form).encode())
    assert status == 200
    assert "Broadcast schedule" in page
    token = page.split('name="token" value="')[1].split('"')[0]
    fields = {"token": token, "key": "c1", "passphrase": desk.ceremony.person("c1").passphrase}
    async with desk.session.post(f"{address}/sign", data=fields) as answer:
        assert "Save the signed file" in await answer.text()
    assert not desk.controller.taken
    async with desk.session.get(f"{address}/envelopes.json") as answer:
        saved = await answer.read()
    assert len(json.loads(saved)["envelopes"]) == 1
    async with desk.session.post(f"{address}/send", data=fields) as answer:
        assert "Signed and sent" in await answer.text()
    assert len(desk.controller.taken) == 1


async def test_page_takes_recordings_from_a_folder(desk: Desk, tmp_path: Path) -> None:
    desk.controller.media.clear()
    form = desk.form(Kind.SCHEDULE, documents.schedule(documents.programme("a")))
    _, page, address = await upload(desk, "sign", json.dumps(form).encode())
    assert "Folder or stick with the recordings" in page
    token = page.split('name="token" value="')[1].split('"')[0]
    fields = {"token": token, "folder": str(tmp_path)}
    async with desk.session.post(f"{address}/recordings", data=fields) as answer:
        assert answer.status == 404
        assert "None of the missing recordings is in that folder" in await answer.text()
    (tmp_path / "a").write_bytes(documents.SOUND)
    async with desk.session.post(f"{address}/recordings", data=fields) as answer:
        assert "Recording checked" in await answer.text()


async def test_old_file_is_refused(desk: Desk) -> None:
    form = desk.form(Kind.SCHEDULE, documents.schedule(documents.relay("b")))
    desk.clock["wall"] += 8 * DAY_MS
    status, page, _ = await upload(desk, "sign", json.dumps(form).encode())
    assert status == 400
    assert "prepared too long ago" in page


@pytest.mark.parametrize("act", ["sign", "take", "ask"])
async def test_files_only_from_the_signers_own_page(desk: Desk, act: str) -> None:
    assert (await upload(desk, act, b"{}", token="x"))[0] == 403


async def test_page_learns_from_files(desk: Desk) -> None:
    denial = office.signed(office.denial(), office.anchor_keys(desk.ceremony))
    forged = office.signed(office.denial(epoch=9), [])
    packed = json.dumps({"envelopes": [one.pack().decode() for one in (denial, forged)]}).encode()
    _, page, _ = await upload(desk, "take", packed)
    assert page.count("✓ taken") == 1
    assert "refused" in page
    _, page = await desk.open(Kind.STOP, documents.stop())
    assert "Nobody whose key lies on this machine may sign this" in page
    _, page, _ = await upload(desk, "take", packed)
    assert "known already" in page
    assert (await upload(desk, "take", b"nothing"))[0] == 400
    assert (await upload(desk, "take"))[0] == 400


async def test_controller_is_asked_for_what_is_in_force(desk: Desk) -> None:
    status, page, _ = await upload(desk, "ask")
    assert status == 502
    assert "cannot be reached now" in page
    words = office.signed(office.moved("loa-31498-01", to=None), office.anchor_keys(desk.ceremony))
    desk.controller.authority = [words.pack().decode(), "{"]
    status, page, _ = await upload(desk, "ask")
    assert page.count("✓ taken") == 1
    _, page = await desk.open(Kind.ALERT, documents.alert())
    assert "8 loudspeakers" in page


def test_commands_as_they_are_typed(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOALANG_LANG", "en")
    monkeypatch.setattr("signer.commands._wall", lambda: documents.NOW)
    config = SignerConfig(desk.ceremony.data / "signer", desk.controller.origin)
    word = tmp_path / "word.json"
    word.write_bytes(office.signed(office.denial(), office.anchor_keys(desk.ceremony)).pack())
    sitting = Sitting([], "")
    given = parser().parse_args(["take", str(word), "--data", "elsewhere"])
    assert str(given.data) == "elsewhere"
    assert run(given, config, person=sitting.person()) == 0
    assert "taken" in sitting.text
    word.write_bytes(office.signed(office.denial(epoch=7), []).pack())
    assert run(given, config, person=sitting.person()) == 1
    missing = parser().parse_args(["take", str(tmp_path / "none")])
    assert run(missing, config, person=sitting.person()) == 1
    lacking = parser().parse_args(["sign", str(word), "--out", str(tmp_path / "x")])
    assert run(lacking, config, person=sitting.person()) == 1


async def test_signed_file_is_posted_by_the_technicians_tool(desk: Desk, tmp_path: Path) -> None:
    asked = request_file(tmp_path / "ask.json", Kind.STOP, documents.stop(), controller=desk.controller.origin)
    done = tmp_path / "done.json"
    await sit(desk, Errand(asked, done, key="c1"), "yes")
    words = ["post", str(done), "--controller", desk.controller.origin]
    posted = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert posted.exit_code == 0, posted.output
    assert [one.kind for one in desk.controller.taken] == ["stop"]
