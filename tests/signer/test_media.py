"""Recordings are fetched and checked before anyone may sign."""

import pytest

from protocol.document import Kind
from signer.signing import PageSigningError
from tests.signer import documents
from tests.signer.conftest import Desk

OTHER_SOUND = b"OggS another recording" * 30


async def test_recording_is_checked_and_heard(desk: Desk) -> None:
    address, page = await desk.open(Kind.SCHEDULE, documents.schedule(documents.programme("a")))
    digest = documents.media().digest
    assert "Recording checked" in page
    async with desk.session.get(f"{address}/media/{digest}") as answer:
        assert (await answer.read(), answer.headers["Content-Type"]) == (documents.SOUND, "audio/ogg")
    async with desk.session.get(f"{address}/media/{digest}", headers={"Range": "bytes=0-3"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"OggS")
    async with desk.session.get(f"{address}/media/{'0' * 64}") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("sent", [OTHER_SOUND + b"x", OTHER_SOUND[:-1], b"y" * len(OTHER_SOUND), b""])
async def test_wrong_recording_cannot_be_signed(desk: Desk, sent: bytes) -> None:
    desk.controller.media[documents.media(OTHER_SOUND).digest] = sent
    payload = documents.schedule(documents.programme("a", sound=OTHER_SOUND))
    address, page = await desk.open(Kind.SCHEDULE, payload)
    assert "not the one this document names" in page
    assert 'type="password"' not in page
    async with desk.session.get(f"{address}/media/{documents.media(OTHER_SOUND).digest}") as answer:
        assert answer.status == 404
    with pytest.raises(PageSigningError, match="recording"):
        await desk.sign(Kind.SCHEDULE, payload, x="")


async def test_missing_recording_cannot_be_signed_until_it_comes(desk: Desk) -> None:
    payload = documents.schedule(documents.programme("a", sound=OTHER_SOUND))
    address, page = await desk.open(Kind.SCHEDULE, payload)
    assert "could not be fetched" in page
    desk.controller.add(OTHER_SOUND)
    assert "Recording checked" in await desk.read(address)


async def test_form_sent_without_the_page_is_checked_too(desk: Desk) -> None:
    """The page offered nothing to sign; someone who knows its token sends the form all the same."""
    payload = documents.schedule(documents.programme("a", sound=OTHER_SOUND))
    desk.controller.add(OTHER_SOUND)
    address, page = await desk.open(Kind.SCHEDULE, payload)
    token = page.split('name="token" value="')[1].split('"')[0]
    (desk.ceremony.data / "signer" / "media" / documents.media(OTHER_SOUND).digest).write_bytes(b"short")
    fields = {"token": token, "key": "c1", "passphrase": desk.ceremony.person("c1").passphrase}
    async with desk.session.post(f"{address}/sign", data=fields) as answer:
        assert "A recording could not be checked" in await answer.text()
    assert not desk.log()


async def test_known_recording_is_not_asked_for_again(desk: Desk) -> None:
    """What was heard at the last signing is not fetched again, so an old item never blocks a new one."""
    await desk.sign(Kind.SCHEDULE, documents.schedule(documents.programme("a")))
    desk.controller.media.clear()
    (desk.ceremony.data / "signer" / "media" / documents.media().digest).unlink()
    payload = documents.schedule(documents.programme("a"), documents.relay("b"), version=2)
    _, page = await desk.open(Kind.SCHEDULE, payload)
    assert 'type="password"' in page


async def test_recording_of_an_alert_is_checked(desk: Desk) -> None:
    _, page = await desk.open(Kind.ALERT, documents.alert(recording=documents.media()))
    assert "Recording checked" in page
    _, page = await desk.open(Kind.ALERT, documents.alert(recording=documents.media(OTHER_SOUND)))
    assert 'type="password"' not in page


async def test_oldest_recordings_give_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.shelf.SHELF_BYTES_MAX", len(documents.SOUND) + 10)
    desk.controller.add(OTHER_SOUND)
    await desk.open(Kind.SCHEDULE, documents.schedule(documents.programme("a")))
    _, page = await desk.open(Kind.SCHEDULE, documents.schedule(documents.programme("b", sound=OTHER_SOUND)))
    assert "Recording checked" in page
    kept = [path.name for path in (desk.ceremony.data / "signer" / "media").iterdir()]
    assert kept == [documents.media(OTHER_SOUND).digest]


async def test_slow_recording_shows_that_it_comes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.routes._MEDIA_WAIT_S", 0)
    _, page = await desk.open(Kind.SCHEDULE, documents.schedule(documents.programme("a")))
    assert 'http-equiv="refresh"' in page
    assert "being fetched and checked" in page
    assert 'type="password"' not in page
