"""A double click does its work once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from controller.web.explained import Explained
from controller.web.once import Done, once
from controller.web.page import Told
from tests.controller.running import RunningController, run_controller


class Press:
    """A form whose work takes as long as the test wants."""

    def __init__(self) -> None:
        self.times = 0
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.fails = False

    async def handle(self, request: web.Request) -> web.Response:
        form = await request.post()
        return await once(request, str(form["once"]), self.work)

    async def work(self) -> Done:
        self.times += 1
        self.begun.set()
        await self.may_end.wait()
        if self.fails:
            raise Explained("It did not work.")
        return Done("/account", Told("Done once."))


@pytest.fixture
def press() -> Press:
    return Press()


@pytest.fixture
async def controller(filled: Path, tmp_path: Path, press: Press) -> AsyncIterator[RunningController]:
    shutil.copytree(filled, tmp_path / "data")

    def extend(app: web.Application) -> None:
        app.router.add_post("/press", press.handle)

    async with run_controller(tmp_path / "data", capabilities=("web", "people"), extend=extend) as running:
        yield running


async def test_second_click_gets_the_first_result(controller: RunningController, press: Press) -> None:
    person = await controller.person("author")
    first = asyncio.create_task(person.send("/press", once="k"))
    await press.begun.wait()
    second = asyncio.create_task(person.send("/press", once="k"))
    press.may_end.set()
    assert (await first).path == (await second).path == "/account"
    assert press.times == 1


async def test_late_repeat_gets_the_first_result(controller: RunningController, press: Press) -> None:
    person = await controller.person("author")
    press.may_end.set()
    await person.send("/press", once="k")
    assert (await person.send("/press", once="k")).told == "Done once."
    assert press.times == 1


async def test_failed_work_may_be_tried_again(controller: RunningController, press: Press) -> None:
    person = await controller.person("author")
    press.may_end.set()
    press.fails = True
    assert (await person.send("/press", once="k")).status == 400
    press.fails = False
    assert (await person.send("/press", once="k")).told == "Done once."
    assert press.times == 2


async def test_key_of_another_person_is_another_key(controller: RunningController, press: Press) -> None:
    press.may_end.set()
    for login in ("author", "approver"):
        await (await controller.person(login)).send("/press", once="k")
    assert press.times == 2
