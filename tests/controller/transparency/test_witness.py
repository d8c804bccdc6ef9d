"""A signer's witness beside the real controller: what the one says of itself, and what the other remembers."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from controller.transparency.notary import SIGN_EVERY_MS, Notary
from protocol.clock import WallMs
from signer.hand_back import Result
from signer.witness import GRACE_MS, Doubt, Witness
from tests.controller.running import Hands, RunningController
from tests.controller.signing.authorities import Ceremony, post
from tests.controller.transparency.conftest import by_hand, schedule

pytestmark = pytest.mark.slow


async def test_fork_that_the_controller_calls_sound(
    controller: RunningController, ceremony: Ceremony, notary: Notary, hands: Hands, tmp_path: Path
) -> None:
    keys = json.loads((controller.config.data / "anchor.json").read_bytes())["freshness_keys"]
    witness = Witness(tmp_path, controller=controller.origin)
    sent = [schedule(controller, ceremony.ke_sach, version=version) for version in (1, 2)]
    async with aiohttp.ClientSession() as session:

        async def look() -> tuple[int, Doubt | None]:
            sight = await witness.look(session, keys, WallMs(hands()))
            return sight.size, sight.doubt

        await witness.handed_over([Result(sent[0].digest, "schedule", "accepted")], WallMs(hands()))
        await post(controller.stranger(), sent[0])
        hands.passed_ms += GRACE_MS + SIGN_EVERY_MS
        await notary.turn()
        assert await look() == (5, None)
        by_hand(controller.config.data, "DELETE FROM log_entries WHERE position = 4")
        await post(controller.stranger(), sent[1])
        await notary.begin_again()
        assert notary.finding.sound, "whoever has the key signs any story"
        assert await look() == (5, Doubt.REWRITTEN)
