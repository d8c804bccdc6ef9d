"""A stranger who finds a fault learns whom to tell, when the province has said so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from controller.app import make_app
from controller.config import Config
from controller.web.security_txt import PATH, check_contact


async def test_contact_is_told_in_the_standards_form(tmp_path: Path) -> None:
    config = Config(tmp_path, mqtt_port=0, security_contact="mailto:an-ninh@example.vn")
    async with TestClient(TestServer(make_app(config, capabilities=("web", "people")))) as client:
        answer = await client.get(PATH)
        text = await answer.text()
    assert answer.status == 200
    assert answer.content_type == "text/plain"
    assert text.splitlines()[0] == "Contact: mailto:an-ninh@example.vn"
    assert "Expires: 20" in text


async def test_without_a_contact_there_is_no_file(tmp_path: Path) -> None:
    config = replace(Config(tmp_path, mqtt_port=0))
    async with TestClient(TestServer(make_app(config, capabilities=("web", "people")))) as client:
        assert (await client.get(PATH)).status == 404


@pytest.mark.parametrize("text", ["an-ninh@example.vn", "http://example.vn", "mailto:a\nContact: b"])
def test_contact_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="begins with"):
        check_contact(text)
