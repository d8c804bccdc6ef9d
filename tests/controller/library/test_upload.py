"""Sound comes in over HTTP: streamed, bounded, once, and nothing half is kept."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.controller.library import material
from tests.controller.running import KE_SACH, LONG_PHU, TRAN_DE, Hands, Person, RunningController, run_controller

pytestmark = pytest.mark.slow


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return ("web", "people", "units", "audit", "library")


def form(
    content: bytes | AsyncIterator[bytes], *, unit: str = KE_SACH, title: str = "", name: str = "hop_dan.mp3"
) -> Any:
    made = aiohttp.FormData()
    made.add_field("unit", unit)
    made.add_field("title", title)
    made.add_field("file", io.BytesIO(content) if isinstance(content, bytes) else content, filename=name)
    return made


async def upload(person: Person, body: Any, *, status: int = 201, query: str = "") -> Any:
    headers = {"X-CSRF-Token": person.csrf}
    async with person.session.post(f"/api/v1/media{query}", data=body, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


def files(controller: RunningController) -> list[Path]:
    return [path for path in (controller.config.data / "media").rglob("*") if path.is_file()]


@pytest.fixture
def song(tmp_path: Path) -> bytes:
    return material.make(tmp_path / "song.mp3", "mp3").read_bytes()


async def test_uploaded_file_is_in_the_library(controller: RunningController, song: bytes) -> None:
    author = await controller.person("ke-sach")
    media = await upload(author, form(song))
    assert media["title"] == "hop dan"
    assert media["origin"] == "upload" and media["source_name"] == "hop_dan.mp3"
    assert media["unit"] == KE_SACH and media["unit_name"] == "Xã Kế Sách"
    assert abs(media["loudness_out_cdb"] + 1600) <= 50 and media["peak_out_cdb"] <= -100
    assert len(media["waveform"]) == 100
    assert [path.name for path in files(controller)] == [f"{media['digest']}.opus"]
    assert await author.call("GET", f"/media/{media['digest']}") == media
    listed = (await author.call("GET", "/media?search=HOP"))["media"]
    assert [one["digest"] for one in listed] == [media["digest"]]


async def test_same_file_twice_is_one_media(controller: RunningController, song: bytes) -> None:
    author = await controller.person("ke-sach")
    first, second = await asyncio.gather(
        upload(author, form(song, title="Một")), upload(author, form(song, title="Hai"))
    )
    assert first == second
    assert len(files(controller)) == 1


async def test_same_file_in_two_communes_is_two_media(controller: RunningController, song: bytes) -> None:
    ke_sach, tran_de = await controller.person("ke-sach"), await controller.person("tran-de")
    first = await upload(ke_sach, form(song))
    second = await upload(tran_de, form(song, unit=TRAN_DE))
    assert first["digest"] != second["digest"]
    await tran_de.call("GET", f"/media/{first['digest']}", status=404)
    assert (await (await controller.person("auditor")).call("GET", "/media"))["media"][1]["digest"] == first["digest"]


async def test_job_tells_how_far_it_is(controller: RunningController, song: bytes) -> None:
    author = await controller.person("ke-sach")
    job = await upload(author, form(song), status=202, query="?wait=0")
    while job["media"] is None and job["error"] is None:
        job = await author.call("GET", f"/media/jobs/{job['id']}")
    assert job["stage"] == "ready" and job["percent"] == 100
    stranger = await controller.person("tran-de")
    await stranger.call("GET", f"/media/jobs/{job['id']}", status=404)


async def test_given_up_job_leaves_nothing(controller: RunningController, tmp_path: Path) -> None:
    author = await controller.person("ke-sach")
    long = material.make(tmp_path / "in.wav", "wav", seconds=300, rate=8_000).read_bytes()
    job = await upload(author, form(long), status=202, query="?wait=0")
    await author.call("DELETE", f"/media/jobs/{job['id']}", status=204)
    while job["error"] is None:
        job = await author.call("GET", f"/media/jobs/{job['id']}")
    assert job["error"]["code"] == "cancelled"
    assert files(controller) == []


async def test_refusal_is_told_in_vietnamese(controller: RunningController) -> None:
    author = await controller.person("ke-sach")
    answer = await upload(author, form("chỉ là chữ".encode()), status=422)
    assert answer["error"]["code"] == "not_audio"
    assert "không phải là âm thanh" in answer["error"]["message"]
    assert files(controller) == []


async def test_announced_size_is_refused_before_a_byte_is_read(controller: RunningController) -> None:
    author = await controller.person("ke-sach")
    cookies = "; ".join(f"{one.key}={one.value}" for one in author.session.cookie_jar)
    reader, writer = await asyncio.open_connection("127.0.0.1", controller.config.port)
    writer.write(
        f"POST /api/v1/media HTTP/1.1\r\nHost: 127.0.0.1:{controller.config.port}\r\nCookie: {cookies}\r\n"
        f"X-CSRF-Token: {author.csrf}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {2**40}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert b" 413 " in head.splitlines()[0]


async def test_endless_upload_is_cut(
    filled: Path, hands: Hands, tmp_path: Path, capabilities: tuple[str, ...]
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 64 * 1024
            yield bytes(64 * 1024)

    data = tmp_path / "data"
    shutil.copytree(filled, data)
    async with run_controller(data, clock=hands, capabilities=capabilities, upload_bytes_max=1_000_000) as controller:
        author = await controller.person("ke-sach")
        answer = await upload(author, form(endless()), status=413)
        assert answer["error"]["code"] == "too_large"
        assert sent < 100_000_000
        assert files(controller) == []


async def test_browser_that_leaves_leaves_nothing(controller: RunningController, song: bytes) -> None:
    author = await controller.person("ke-sach")
    half_sent, never = asyncio.Event(), asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield song[:10_000]
        half_sent.set()
        await never.wait()

    task = asyncio.create_task(upload(author, form(half())))
    await half_sent.wait()
    while not files(controller):
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    while files(controller):
        await asyncio.sleep(0.01)


async def test_unit_of_others_is_refused_before_the_file(controller: RunningController, song: bytes) -> None:
    author = await controller.person("ke-sach")
    answer = await upload(author, form(song, unit=LONG_PHU), status=403)
    assert answer["error"]["code"] == "not_allowed"
    assert (await upload(author, form(song, unit="../x"), status=400))["error"]["code"] == "no_unit"
    auditor = await controller.person("auditor")
    await upload(auditor, form(song), status=403)


async def test_form_without_a_file_is_told(controller: RunningController) -> None:
    author = await controller.person("ke-sach")
    made = aiohttp.FormData(default_to_multipart=True)
    made.add_field("unit", KE_SACH)
    assert (await upload(author, made, status=400))["error"]["code"] == "no_file"


async def test_full_disk_is_told(controller: RunningController, song: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    author = await controller.person("ke-sach")
    monkeypatch.setattr("controller.library.storage.RESERVE_BYTES", 2**60)
    assert (await upload(author, form(song), status=507))["error"]["code"] == "disk_full"
    assert files(controller) == []


async def test_too_many_at_once_are_told(controller: RunningController, song: bytes, tmp_path: Path) -> None:
    author = await controller.person("ke-sach")
    long = material.make(tmp_path / "in.wav", "wav", seconds=120, rate=8_000).read_bytes()
    for _ in range(6):
        await upload(author, form(long), status=202, query="?wait=0")
    assert (await upload(author, form(song), status=503))["error"]["code"] == "busy"


async def test_text_is_spoken_once(controller: RunningController) -> None:
    author = await controller.person("ke-sach")
    body = {"unit": KE_SACH, "title": "", "text": "Kính mời bà con đến họp lúc 19h30.", "language": "vi"}
    media = await author.call("POST", "/speech", body, status=201)
    assert media["origin"] == "speech" and media["text"] == body["text"]
    assert media["title"] == "Kính mời bà con đến họp lúc 19h30"
    assert 2000 < media["duration_ms"] < 8000
    assert abs(media["loudness_out_cdb"] + 1600) <= 50 and media["peak_out_cdb"] <= -100
    again = await author.call("POST", "/speech", {**body, "title": "Khác"}, status=201)
    assert again == media
    audit = await (await controller.person("auditor")).see("/audit")
    assert "Kính mời bà con đến họp lúc 19h30" in audit


@pytest.mark.parametrize(
    ("text", "language", "code"),
    [
        ("", "vi", "text_empty"),
        ("a" * 5001, "vi", "text_too_long"),
        ("Chào 😀", "vi", "text_unsayable"),
        ("a", "km", "no_voice"),
    ],
)
async def test_text_that_cannot_be_spoken(controller: RunningController, text: str, language: str, code: str) -> None:
    author = await controller.person("ke-sach")
    body = {"unit": KE_SACH, "title": "", "text": text, "language": language}
    answer = await author.call("POST", "/speech", body, status=422)
    assert answer["error"]["code"] == code


@pytest.mark.parametrize("body", [None, [], "x", {"unit": 1}, {"unit": KE_SACH, "text": 1, "language": "vi"}])
async def test_malformed_speech_is_told(controller: RunningController, body: Any) -> None:
    author = await controller.person("ke-sach")
    assert (await author.call("POST", "/speech", body, status=400))["error"]["code"] == "invalid"


async def test_lone_surrogate_is_refused(controller: RunningController) -> None:
    author = await controller.person("ke-sach")
    text = json.dumps({"unit": KE_SACH, "title": "\ud800", "text": "chào \ud800", "language": "vi"})
    headers = {"X-CSRF-Token": author.csrf, "Content-Type": "application/json"}
    async with author.session.post("/api/v1/speech", data=text, headers=headers) as answer:
        assert answer.status == 400, await answer.text()
