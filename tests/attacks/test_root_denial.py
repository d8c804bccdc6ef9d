"""The root's files without end, too slowly, or from somewhere else: bounded, left, and told where it can be told."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from aiohttp import web

from protocol.errors import Refusal
from tests.attacks.conftest import PatientLoop
from tests.attacks.rooted import Rooted

pytestmark = pytest.mark.slow


async def endless(request: web.Request) -> web.StreamResponse:
    """A body that never ends."""
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"[" * 65_536)
    except ConnectionError:
        return response


async def test_endless_root(rooted: Rooted) -> None:
    """a root file without end — no more is read than a root may have."""
    rooted.scene.attacker.web.root = {"metadata/2.root.json": endless}
    await rooted.power_up()
    await rooted.refused(Refusal.TOO_LARGE)


async def test_slow_root(rooted: Rooted) -> None:
    """a root file byte by byte, for ever — the child is ended after a minute, and that is told."""
    reached = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        reached.set()
        try:
            while True:
                await response.write(b".")
                await asyncio.sleep(1)
        except ConnectionError:
            return response

    rooted.scene.attacker.web.root = {"metadata/2.root.json": slow}
    await rooted.power_up()
    await asyncio.wait_for(reached.wait(), 200)
    cast(PatientLoop, asyncio.get_running_loop()).waits_for_children = False
    await rooted.refused(Refusal.MALFORMED_ENVELOPE)


async def test_root_by_way_of_somewhere_else(rooted: Rooted) -> None:
    """an address of the root that leads elsewhere — no redirect is followed, a file that does not come is no news."""

    async def away(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/admin/reboot")

    rooted.scene.attacker.web.root = {"metadata/2.root.json": away}
    await rooted.power_up()
    await rooted.scene.ignored(lambda: None, seconds=150)
    assert "/root/metadata/2.root.json" in rooted.scene.attacker.web.asked
    assert "/admin/reboot" not in rooted.scene.attacker.web.asked
    await rooted.scene.still_obeys()
