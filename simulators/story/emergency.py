"""The chapter of the quiet hours: an ordinary programme stays away, an emergency sounds, and is taken back."""

from __future__ import annotations

import base64
from typing import Any, Final

from edge.core.output import AlertOutput
from edge.core.state import AgentState
from simulators.recording import spoken
from simulators.story import material
from simulators.story.ear import Ear, check_found
from simulators.story.office import Plan
from simulators.story.stage import QUIET, Stage, present
from simulators.story.steps import Figures, Steps, check

_QUIET_MS: Final = 3_000
_TONE_MS: Final = 5_000
_MESSAGE_MS: Final = 6_000
_HUSH_MS: Final = 600
_AUDIBLE_CDB: Final = -3_500


async def quiet_hours(steps: Steps, stage: Stage, plan: Plan) -> None:
    """One after the other on the same device."""
    ear = stage.ear(QUIET)
    async with steps.step("quiet_hours_kept"):
        await ear.silence(plan.start, plan.start + _QUIET_MS)
    alert = await _send(steps, stage)
    async with steps.step("emergency_sounds") as figures:
        began_ms = await _sounds(stage, figures, sent_ms=alert["sent_ms"])
        level = await ear.level_cdb(began_ms + 500, began_ms + 2_500)
        check(level > _AUDIBLE_CDB, f"the attention tone is at {level / 100:.1f} dBFS")
    async with steps.step("emergency_message_found") as figures:
        await _message(ear, began_ms, figures)
    async with steps.step("emergency_cancelled") as figures:
        await _cancel(stage, ear, str(alert["id"]), figures)


async def _send(steps: Steps, stage: Stage) -> dict[str, Any]:
    operator = stage.tran_de.author
    async with steps.step("emergency_signed"):
        wanted = {"kind": "actual", "targets": [stage.tran_de.unit], "text": material.EMERGENCY_TEXT}
        alert: dict[str, Any] = await operator.call("POST", "/alerts", wanted)
        check(base64.b64decode(alert["payload"]), "the controller gives nothing to sign")
        await operator.sign(alert)
        sent = await operator.wait_for(
            f"/alerts/{alert['id']}", lambda answer: answer["sent_ms"] and answer, within_s=5
        )
        check(sent["cancel_ready"], "the cancel was not signed together with the emergency")
    return dict(sent)


async def _sounds(stage: Stage, figures: Figures, *, sent_ms: int) -> int:
    """Wall time at which the tone began."""
    device = stage.device(QUIET)
    await device.wait_state(_emergency_started, within_s=5)
    began_ms = present()
    figures["after_sending_ms"] = began_ms - sent_ms
    return began_ms


def _emergency_started(state: AgentState) -> bool:
    output = state.sound.output
    return isinstance(output, AlertOutput) and state.sound.started == output.key


async def _message(ear: Ear, began_ms: float, figures: Figures) -> None:
    """The device speaks by itself, in the same voice as here."""
    message = await spoken(material.EMERGENCY_TEXT)
    end_ms = began_ms + _TONE_MS + len(message) / 96 + 1_500
    found = await ear.somewhere(message[: _MESSAGE_MS * 96], began_ms + _TONE_MS - 500, end_ms)
    figures["correlation"] = round(found.correlation, 3)
    check_found(found, "the message")


async def _cancel(stage: Stage, ear: Ear, alert: str, figures: Figures) -> None:
    asked_ms = present()
    await stage.tran_de.author.call("POST", f"/alerts/{alert}/cancel")
    await stage.device(QUIET).wait_state(lambda state: not _emergency_started(state), within_s=5)
    figures["silent_after_ms"] = present() - asked_ms
    silent_ms = present() + _HUSH_MS
    await ear.silence(silent_ms, silent_ms + 2_000)
