"""A media's bytes go to whoever knows the digest: whole, in part, or as a head; the library's pages show it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from controller.keys import ENGINE, MEDIA
from controller.library.domain import Media, Origin
from controller.library.queries import add_media
from controller.store.engine import writing
from tests.controller.library import material
from tests.controller.running import KE_SACH, TRAN_DE, RunningController


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return ("web", "people", "units", "audit", "library")


async def kept(controller: RunningController, *, title: str = "Họp dân", unit: Any = KE_SACH, number: int = 0) -> str:
    """Puts a media into the library without the work."""

    async def chunks() -> Any:
        yield bytes(range(256)) * 8 + f"{unit} {title} {number}".encode()

    digest, size_bytes = await controller.app[MEDIA].keep(chunks())
    new = Media(
        digest=digest,
        unit=unit,
        title=title,
        origin=Origin.SPEECH,
        text="Mời bà con đến nhà văn hóa.",
        language="vi",
        size_bytes=size_bytes,
        duration_ms=65_000,
        loudness_in_cdb=-2310,
        loudness_out_cdb=-1600,
        peak_out_cdb=-150,
        waveform=(1, 50, 100),
        source_name=None,
        created_by=1,
        created_ms=1_790_000_000_000 + number,
    )
    async with writing(controller.app[ENGINE]) as connection:
        await add_media(connection, new)
    return digest


async def test_media_needs_no_sign_in(controller: RunningController) -> None:
    digest = await kept(controller)
    whole = controller.app[MEDIA].path(digest).read_bytes()
    async with controller.stranger().session.get(f"/media/{digest}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "audio/ogg"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert await answer.read() == whole


@pytest.mark.parametrize(
    ("range_", "status", "begin", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=2000-", 206, 2000, None),
        ("bytes=-5", 206, -5, None),
        ("lines=1-2", 416, 0, 0),
    ],
)
async def test_media_is_served_in_parts(
    controller: RunningController, range_: str, status: int, begin: int, end: int | None
) -> None:
    digest = await kept(controller)
    whole = controller.app[MEDIA].path(digest).read_bytes()
    async with controller.stranger().session.get(f"/media/{digest}", headers={"Range": range_}) as answer:
        assert answer.status == status
        if status == 206:
            assert await answer.read() == whole[begin:end]


async def test_part_beyond_the_end_is_416(controller: RunningController) -> None:
    digest = await kept(controller)
    async with controller.stranger().session.get(f"/media/{digest}", headers={"Range": "bytes=999999-"}) as answer:
        assert answer.status == 416


async def test_if_range_of_something_else_gives_the_whole(controller: RunningController) -> None:
    digest = await kept(controller)
    session = controller.stranger().session
    async with session.get(f"/media/{digest}") as answer:
        tag = answer.headers["ETag"]
    for given, status in ((tag, 206), ('"other"', 200)):
        async with session.get(f"/media/{digest}", headers={"Range": "bytes=0-9", "If-Range": given}) as answer:
            assert answer.status == status


async def test_head_has_no_body(controller: RunningController) -> None:
    digest = await kept(controller)
    async with controller.stranger().session.head(f"/media/{digest}") as answer:
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) > 2048


@pytest.mark.parametrize("name", ["0" * 64, "0" * 63, "..%2f..%2fcontroller.db", "A" * 64])
async def test_unknown_media_is_404(controller: RunningController, name: str) -> None:
    async with controller.stranger().session.get(f"/media/{name}") as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "not_found"


@pytest.mark.slow
async def test_library_page_lists_own_sound(controller: RunningController) -> None:
    await kept(controller, title="Họp dân")
    await kept(controller, title="Chuyện Trần Đề", unit=TRAN_DE)
    text = await (await controller.person("ke-sach")).see("/library")
    assert "Họp dân" in text and "Chuyện Trần Đề" not in text
    assert "−23,1 LUFS → −16,0 LUFS" in text
    assert "Thêm âm thanh" in text
    assert "Thêm âm thanh" not in await (await controller.person("auditor")).see("/library")


async def test_search_finds_without_accents(controller: RunningController) -> None:
    await kept(controller, title="Họp dân", number=1)
    await kept(controller, title="Tiêm chủng", number=2)
    author = await controller.person("ke-sach")
    text = await author.see("/library?search=tiem+chung")
    assert "Tiêm chủng" in text and "Họp dân" not in text
    assert "Không tìm thấy" in await author.see("/library?search=bao+lut")
    async with author.session.get("/library?search=hop", headers={"HX-Request": "true"}) as answer:
        part = await answer.text()
    assert "Họp dân" in part and "<html" not in part


@pytest.mark.slow
async def test_older_sound_is_on_the_next_page(controller: RunningController) -> None:
    for number in range(31):
        await kept(controller, title=f"Bản số {number}", number=number)
    author = await controller.person("ke-sach")
    first = await author.see("/library")
    assert "Bản số 30" in first and "Bản số 0<" not in first
    older = re.findall(r'href="(/library\?[^"]+)"', first)[-1].replace("&amp;", "&")
    assert "Bản số 0<" in await author.see(older)


@pytest.mark.slow
async def test_one_sound_has_its_page(controller: RunningController) -> None:
    digest = await kept(controller, title='<script>alert("a")</script>')
    author = await controller.person("ke-sach")
    text = await author.see(f"/library/{digest}")
    assert f'src="/media/{digest}"' in text and "<script>alert" not in text
    assert "1 phút 5 giây" in text
    await (await controller.person("tran-de")).see(f"/library/{digest}", status=404)
    await author.see("/static/library/chooser.js")
    await author.see("/static/library/player.js")


async def test_stranger_sees_no_library(controller: RunningController) -> None:
    stranger = controller.stranger()
    assert "Thư viện" not in await stranger.see("/library", status=401)
    await stranger.call("GET", "/media", status=401)


@pytest.mark.parametrize("query", ["unit=..", "origin=x", "before=x"])
async def test_malformed_question_is_told(controller: RunningController, query: str) -> None:
    await (await controller.person("ke-sach")).call("GET", f"/media?{query}", status=400)


@pytest.mark.slow
async def test_controller_killed_in_an_upload_starts_clean(filled: Path, tmp_path: Path) -> None:
    """What was half there is gone after the next start, and no worker is left."""
    incoming = tmp_path / "media" / "incoming"
    source = material.make(tmp_path / "in.wav", "wav", seconds=300, rate=8_000)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PREPARE, str(tmp_path / "media"), str(source)), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"levelling\n"
    child.send_signal(signal.SIGKILL)
    await child.wait()
    left = list(incoming.iterdir())
    assert left
    from controller.library.storage import DigestStorage

    assert DigestStorage(tmp_path / "media").clean() == len(left)
    assert list((tmp_path / "media").rglob("*.opus")) == []
    os.sync()


_PREPARE = """
import asyncio, sys
from pathlib import Path
from controller.library.storage import DigestStorage
from controller.library.worker import Workers

storage = DigestStorage(Path(sys.argv[1]))
with storage.draft("opus") as target:
    tell = lambda stage, seconds: seconds and print(stage, flush=True) if stage == "levelling" else None
    asyncio.run(Workers().process(Path(sys.argv[2]), target, owner="vn/92", progress=tell))
"""
