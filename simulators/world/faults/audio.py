"""The sound path: card, decoder, amplifier, line, meter, crackle, and web radios that give nothing."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Final

from edge.core.events import BoardPart
from simulators.world.faults.spell import MINUTE_MS, moved_to_sound, spell
from simulators.world.people import STREAM
from simulators.world.plan import Happening, Kind, Shape, sometimes
from simulators.world.sound_source import Flow
from simulators.world.speaker import Block

if TYPE_CHECKING:
    from simulators.world.device import WorldDevice
    from simulators.world.world import World

_BREAKS_A_DAY: Final = 0.1
_STREAMS_A_DAY: Final = 1.5
_NOTICED_MS: Final = 5000


def _card(device: WorldDevice, _: str, on: bool) -> None:
    """It is plugged out, and in again."""
    device.defects.card = not on
    device.block(Block.CARD, on)
    device.look()


def _amplifier(device: WorldDevice, _: str, on: bool) -> None:
    device.block(Block.AMPLIFIER, on)


def _line(device: WorldDevice, _: str, on: bool) -> None:
    """The wire to the loudspeaker is broken: the meter, which sits before it, sees nothing; the pilot tone does."""
    device.block(Block.LINE, on)
    device.sicken(BoardPart.SPEAKER_LINE, "the line is open" if on else "")


def _decoder(device: WorldDevice, words: str, on: bool) -> None:
    """It opens late, so the head is cut off, or never."""
    device.defects.opening_ms = int(words) if on else 0
    device.defects.opening_fails = on and int(words) > 5000
    device.hindrances.put("decoder", on)


def _crackle(device: WorldDevice, words: str, on: bool) -> None:
    """Something sounds that nobody ordered; muting ends it, or does not."""
    device.defects.crackle = words if on else ""
    device.trace.tell(device.name, "crackle.began" if on else "crackle.ended", words)
    device.look()


def _meter(device: WorldDevice, _: str, on: bool) -> None:
    if on and device.defects.metered:
        device.defects.metered = False
        device.sicken(BoardPart.METER, "it does not answer")
    elif not on and BoardPart.METER in device.sick:
        device.defects.metered = True
        device.sicken(BoardPart.METER, "")


def _break_off(world: World, happening: Happening) -> None:
    """The decoder of what sounds hangs, and is replaced."""
    device = world.devices[happening.who]
    if device.agent is not None:
        device.hindrances.begin("decoder")
        device.agent.horn.break_off()
        world.later(_NOTICED_MS, partial(device.hindrances.end, "decoder"))


def _stream(world: World, happening: Happening) -> None:
    """A web radio gives nothing for `number` milliseconds, or nobody answers."""
    world.air.become(STREAM, Flow(happening.words))
    world.later(happening.number, partial(world.air.become, STREAM, Flow.ON))


def _draw_breaks(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = sometimes(dice, shape, names, per_day=_BREAKS_A_DAY)
    drawn = [(moved_to_sound(dice, at_ms), name) for at_ms, name in found]
    late_ms = shape.calm_ms - _NOTICED_MS
    return [Happening(at_ms, name, "audio.break_off") for at_ms, name in drawn if at_ms < late_ms]


def _draw_streams(dice: random.Random, shape: Shape, _: tuple[str, ...]) -> list[Happening]:
    """Around the slot of those communes that have one, at ten past eleven."""
    found = []
    for drawn_ms, who in sometimes(dice, shape, ("air",), per_day=_STREAMS_A_DAY):
        slot_ms = drawn_ms // 86_400_000 * 86_400_000 + 670 * MINUTE_MS
        at_ms = slot_ms + dice.randrange(-3 * MINUTE_MS, 4 * MINUTE_MS)
        lasts_ms = round(10 ** dice.uniform(2.5, 5.5))
        if at_ms < shape.calm_ms:
            word = dice.choice((Flow.STALLED, Flow.DEAD)).value
            found.append(Happening(at_ms, who, "audio.stream", min(lasts_ms, shape.calm_ms - at_ms), word))
    return found


KINDS: Final = {
    **spell("audio.card", _card, per_day=0.12, lasts_s=(0.5, 7200)),
    **spell("audio.amplifier", _amplifier, per_day=0.08, lasts_s=(2, 7200)),
    **spell("audio.line", _line, per_day=0.05, lasts_s=(60, 14_400)),
    **spell("audio.decoder", _decoder, per_day=0.1, lasts_s=(30, 3600), words=("300", "1500", "4000", "9000")),
    **spell("audio.crackle", _crackle, per_day=0.08, lasts_s=(5, 3600), words=("obeys", "deaf"), near_sound=False),
    **spell("audio.meter", _meter, per_day=0.04, lasts_s=(60, 14_400)),
    "audio.break_off": Kind(_break_off, _draw_breaks),
    "audio.stream": Kind(_stream, _draw_streams),
}
