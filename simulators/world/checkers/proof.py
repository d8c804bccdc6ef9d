"""Behaviour, section 7: "Sound expected and none measured for 5 s = fault. Sound measured and none expected = fault,
amplifier muted."

Judged by the levels that the device was told, against what it believes to sound; and by what really crackles there.
"""

from __future__ import annotations

from typing import Final

from edge.core.events import Booted, LevelMeasured, SoundEnded
from edge.core.output import AlertOutput, MicrophoneOutput, Silence
from protocol.clock import WallMs
from protocol.report import FaultCode
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.speaker import Block
from simulators.world.trace import Record

MISSING_MS: Final = 5000
STRANGE_MS: Final = 30_000
_AUDIBLE_CDB: Final = -6000
_SLACK_MS: Final = 7000
"""A level of a world comes each 4 s."""
_SETTLED_MS: Final = 20_000


class Proof:
    """Looks at every level, and half a minute after something began to crackle."""

    def __init__(self, truth: Truth, _: Papers, tell: Tell) -> None:
        self._truth, self._tell = truth, tell
        self._quiet: dict[str, tuple[str, WallMs]] = {}
        truth.on(LevelMeasured, self._level)
        truth.on(Booted, self._booted)
        truth.on(SoundEnded, self._ended)
        truth.on("crackle.began", self._crackles)

    def _booted(self, box: Box, _: Record) -> None:
        self._quiet.pop(box.name, None)

    def _ended(self, box: Box, _: Record) -> None:
        """An attempt that failed is told as what it is, and the next one has its own five seconds."""
        self._quiet.pop(box.name, None)

    def _level(self, box: Box, record: Record) -> None:
        event, state = record.thing.event, box.device.state
        measured = event.level_cdb if event.output_level_cdb is None else min(event.level_cdb, event.output_level_cdb)
        if state is None or measured > _AUDIBLE_CDB or isinstance(state.sound.output, Silence | MicrophoneOutput):
            self._quiet.pop(box.name, None)
            return
        output = state.sound.output
        key, since = self._quiet.get(box.name, ("", WallMs(0)))
        if key != output.key:
            self._quiet[box.name] = output.key, record.at
            return
        patience_ms = MISSING_MS + _SLACK_MS + (output.gap_ms if isinstance(output, AlertOutput) else 0)
        if record.at - since > patience_ms and FaultCode.SOUND_MISSING not in state.faults:
            self._quiet.pop(box.name)
            self._tell(box.name, "proof", f"{key[:40]} is not heard for {record.at - since} ms, and that is no fault")

    def _crackles(self, box: Box, record: Record) -> None:
        if record.words == "obeys" and box.device.defects.metered:
            self._truth.at(WallMs(record.at + STRANGE_MS), box, lambda: self._is_muted(box))

    def _is_muted(self, box: Box) -> None:
        now, device = self._truth.now, box.device
        settled = box.booted is not None and now - max(box.booted, box.quiet_since) > STRANGE_MS + _SETTLED_MS
        ours = settled and not box.sounding and not device.hindrances.during(WallMs(now - STRANGE_MS), now)
        if ours and device.defects.crackle == "obeys" and Block.MUTED not in device.speaker.blocks:
            self._tell(box.name, "proof", f"something crackles for {STRANGE_MS} ms and the amplifier is not muted")

    def end(self) -> None:
        """See `Rule`."""
