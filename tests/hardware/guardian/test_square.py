"""What a village hears when its computer dies, told by the samples; numbers are sections of the rules of the horn."""

from __future__ import annotations

import asyncio
import random
import struct

import pytest

from hardware.guardian import message, wire
from simulators.fm_station import SimStation
from simulators.guardian_horn import Through
from tests.hardware.guardian.scene import (
    FIRST,
    FIRST_KHZ,
    FOREIGN,
    FOREIGN_PI,
    HOUR,
    PROGRAMME,
    SECOND,
    SECOND_SONG,
    Scene,
)

pytestmark = pytest.mark.slow


async def test_computer_that_hangs_in_a_window_gives_way_to_fm(scene: Scene) -> None:
    """4: `on_computer_dead: fm` is enforced by the guardian; 1: rung 8 follows rung 6."""
    await scene.boot()
    await scene.arm()
    await scene.wait(3)
    last = await scene.hang()
    await scene.wait(12)
    assert scene.hears(PROGRAMME, last - 2 * SECOND, last + 2.9 * SECOND)
    assert scene.hears(FIRST, last + 5 * SECOND, last + 11 * SECOND)
    assert scene.silence_ms(last, last + 11 * SECOND) < 500


async def test_computer_that_hangs_outside_the_windows_leaves_silence(scene: Scene) -> None:
    """4: FM opens only inside a signed window."""
    await scene.boot()
    await scene.arm(begin=HOUR, end=2 * HOUR)
    await scene.wait(3)
    last = await scene.hang()
    await scene.wait(20)
    assert scene.hears(PROGRAMME, last - SECOND, last + 2.9 * SECOND)
    assert scene.hears_nothing(last + 3.2 * SECOND, last + 19 * SECOND)
    assert not scene.node.amplifier.on


async def test_policy_of_silence_leaves_silence(scene: Scene) -> None:
    """4: `on_computer_dead: silence`, which is a plan without windows; and the one before it is forgotten."""
    await scene.boot()
    await scene.arm()
    await scene.arm(version=2, empty=True)
    last = await scene.hang()
    await scene.wait(20)
    assert scene.hears_nothing(last + 3.2 * SECOND, last + 19 * SECOND)


async def test_window_begins_and_ends_while_the_computer_is_dead(scene: Scene) -> None:
    """4: inside its window, to the second."""
    await scene.boot()
    await scene.arm(begin=20 * SECOND, end=40 * SECOND)
    opens = scene.now + 20 * SECOND
    await scene.die()
    await scene.wait(50)
    assert scene.hears_nothing(opens - 10 * SECOND, opens)
    assert scene.hears(FIRST, opens + 3 * SECOND, opens + 19 * SECOND)
    assert scene.hears_nothing(opens + 20.1 * SECOND, opens + 28 * SECOND)


async def test_computer_that_reboots_is_heard_again(scene: Scene) -> None:
    """3: the agent plays on by itself; nothing holds a living computer back."""
    await scene.boot()
    await scene.arm()
    died = await scene.die()
    await scene.wait(20)
    assert scene.hears(FIRST, died + 6 * SECOND, died + 19 * SECOND)
    woke = scene.now
    await scene.boot()
    taken = scene.moved(Through.COMPUTER, woke)
    assert taken is not None and taken - woke < 2 * SECOND
    await scene.wait(3)
    assert scene.hears(PROGRAMME, scene.now - 2 * SECOND, scene.now)


async def test_computer_that_dies_at_every_start_does_not_flap(scene: Scene) -> None:
    """Hold-down: FM that a returning computer has shut stays shut for a minute (pain 21)."""
    await scene.boot()
    await scene.arm()
    await scene.die()
    await scene.wait(20)
    for _ in range(4):
        await scene.boot()
        await scene.die()
        await scene.wait(8)
    back = scene.moved(Through.COMPUTER, scene.now - 60 * SECOND)
    assert back is not None
    openings = [at for at, through in scene.node.moves if through is Through.FM]
    assert len(openings) == 1
    await scene.wait(60)
    openings = [at for at, through in scene.node.moves if through is Through.FM]
    assert len(openings) == 2 and openings[1] + scene.clock.offset_ms >= back + 60 * SECOND


async def test_flood_of_rubbish_does_not_take_the_relay(scene: Scene) -> None:
    """Beats count in whatever is around them; the control loop is never starved."""
    await scene.boot()
    await scene.arm()
    flood = asyncio.create_task(_flood(scene))
    begun = scene.now
    await scene.wait(10)
    assert scene.hears(PROGRAMME, begun, scene.now)
    last = await scene.hang()
    await scene.wait(12)
    flood.cancel()
    assert scene.hears(FIRST, last + 6 * SECOND, last + 11 * SECOND)
    assert scene.node.board.ends == []


async def _flood(scene: Scene) -> None:
    """Nine tenths of what the line can carry: noise, zeros, and frames that are nearly right."""
    chance = random.Random(3)
    while True:
        kinds = (
            chance.randbytes(100),
            bytes(100),
            b"\0\x06\x03\x01\x01\x01\x02" * 14,
            b"".join(wire.framed(bytes([message.HELLO]) + chance.randbytes(32)) for _ in range(3)),
            b"".join(wire.framed(struct.pack(">BI", message.BEAT, 30) + chance.randbytes(25)) for _ in range(3)),
        )
        scene.node.write(chance.choice(kinds))
        await asyncio.sleep(0.01)


async def test_lie_about_the_hour_does_not_open_fm(scene: Scene) -> None:
    """5: the hour is never guessed, and a second opinion that is 14 hours away is not believed."""
    await scene.boot()
    await scene.arm(begin=13 * HOUR, end=15 * HOUR)
    scene.pulse.wall_ms = lambda: int(scene.now) + 14 * HOUR
    await scene.wait(120)
    state = scene.link.state()
    assert state is not None and state.clock_refused
    last = await scene.hang()
    await scene.wait(20)
    assert scene.hears_nothing(last + 3.2 * SECOND, scene.now)


async def test_lie_in_small_steps_does_not_open_fm(scene: Scene) -> None:
    """5: a source cannot walk the clock to another hour."""
    await scene.boot()
    await scene.arm(begin=300 * SECOND, end=HOUR)
    born = scene.now
    scene.pulse.wall_ms = lambda: int(scene.now + (scene.now - born) * 5)
    await scene.wait(100)
    last = await scene.hang()
    await scene.wait(20)
    assert scene.hears_nothing(last + 3.2 * SECOND, scene.now)


async def test_recorded_beats_prove_nothing(scene: Scene) -> None:
    """A replay neither keeps the relay nor takes it, in the same session or after a reset."""
    await scene.boot()
    await scene.arm()
    await scene.wait(5)
    tape = scene.node.tape
    last = await scene.hang()
    replay = asyncio.create_task(_replay(scene, tape))
    await scene.wait(12)
    assert scene.hears(FIRST, last + 6 * SECOND, last + 11 * SECOND)
    await scene.die()
    scene.node.board.power(False)
    scene.node.board.power(True)
    cut = scene.now
    await scene.wait(12)
    replay.cancel()
    assert scene.moved(Through.COMPUTER, cut) is None
    assert scene.hears_nothing(cut, scene.now)


async def _replay(scene: Scene, tape: bytes) -> None:
    while True:
        for frame in tape.split(b"\0\0"):
            scene.node.write(b"\0" + frame + b"\0")
            await asyncio.sleep(0.05)


async def test_guardian_that_hangs_is_bitten_and_lets_the_computer_through_again(scene: Scene) -> None:
    """Its watchdog bites after 5 s; at rest the relay is silence; it comes back by itself."""
    await scene.boot()
    held = scene.now
    scene.node.board.hold()
    await scene.wait(10)
    silent = scene.moved(Through.SILENCE, held)
    assert silent is not None and silent - held <= 5.1 * SECOND
    back = scene.moved(Through.COMPUTER, silent)
    assert back is not None and back - silent < 4 * SECOND
    assert scene.hears_nothing(silent + 20, back)
    await scene.wait(2)
    assert scene.hears(PROGRAMME, scene.now - SECOND, scene.now)
    state = scene.link.state()
    assert state is not None and (state.reset_cause, state.boots) == ("watchdog", 2)
    assert [one.cause for one in await scene.link.resets()] == ["power", "watchdog"]


async def test_guardian_without_power_is_silence(scene: Scene) -> None:
    """Relay at rest: nothing is let through, whatever the computer does."""
    await scene.boot()
    scene.node.board.power(False)
    cut = scene.now
    await scene.wait(10)
    assert scene.hears_nothing(cut + 1, scene.now)
    scene.node.board.power(True)
    given = scene.now
    await scene.wait(6)
    back = scene.moved(Through.COMPUTER, given)
    assert back is not None and back - given < 5 * SECOND
    assert scene.hears(PROGRAMME, scene.now - SECOND, scene.now)


async def test_foreign_station_stays_out(scene: Scene) -> None:
    """4: the identity must match (pain 4)."""
    foreign = SimStation(FIRST_KHZ, FOREIGN, pi=FOREIGN_PI, rssi_dbuv=62)
    scene.ether.stations.append(foreign)
    scene.stations[1].on_air = False
    await scene.boot()
    await scene.arm()
    last = await scene.hang()
    await scene.wait(40)
    assert scene.hears_nothing(last + 3.2 * SECOND, scene.now)


async def test_station_that_is_overpowered_is_shut_out(scene: Scene) -> None:
    """4: no sudden step of more than 10 dB, even from somebody without a name."""
    await scene.boot()
    await scene.arm()
    scene.stations[1].on_air = False
    await scene.hang()
    await scene.wait(10)
    came = scene.now
    scene.node.horn.keep_up()
    scene.ether.stations.append(SimStation(FIRST_KHZ, FOREIGN, rssi_dbuv=72))
    await scene.wait(20)
    assert scene.hears_nothing(came + 1.2 * SECOND, scene.now)


async def test_station_that_fades_gives_way_to_the_next(scene: Scene) -> None:
    """4: when one fails, the next signed frequency, else silence."""
    await scene.boot()
    await scene.arm()
    await scene.hang()
    await scene.wait(10)
    faded = scene.now
    scene.node.horn.keep_up()
    scene.stations[0].on_air = False
    await scene.wait(12)
    assert scene.hears(SECOND_SONG, faded + 5 * SECOND, scene.now)
    scene.stations[0].on_air = True
    await scene.wait(90)
    assert scene.hears(SECOND_SONG, scene.now - 10 * SECOND, scene.now), "an open station is not left for another"
    gone = scene.now
    scene.node.horn.keep_up()
    scene.stations[0].on_air = scene.stations[1].on_air = False
    await scene.wait(15)
    assert scene.hears_nothing(gone + 2 * SECOND, scene.now)
    assert not scene.node.amplifier.on


async def test_guardian_that_lost_the_hour_keeps_fm_shut(scene: Scene) -> None:
    """5: without any time there is no time-of-day playback at all."""
    await scene.boot()
    await scene.arm()
    await scene.die()
    scene.node.board.power(False)
    scene.node.board.power(True)
    cut = scene.now
    await scene.wait(30)
    assert scene.hears_nothing(cut + 1, scene.now)


async def test_tuner_that_dies_is_silence_and_may_come_back(scene: Scene) -> None:
    """4: what is not measured is not heard."""
    await scene.boot()
    await scene.arm()
    await scene.hang()
    await scene.wait(10)
    assert scene.node.chip is not None
    died = scene.now
    scene.node.chip.gone = True
    await scene.wait(20)
    assert scene.hears_nothing(died + 4 * SECOND, scene.now)
    scene.node.chip.gone = False
    await scene.wait(90)
    assert scene.hears(FIRST, scene.now - 5 * SECOND, scene.now)


async def test_emergency_is_heard_over_fm_as_soon_as_the_computer_lives(scene: Scene) -> None:
    """1 and 2: rungs 1 and 2 are above FM; the tone starts 1 s after the command, 3 s at the worst."""
    await scene.boot()
    await scene.arm()
    await scene.hang()
    await scene.wait(10)
    assert scene.node.through is Through.FM
    woke = scene.now
    scene.pulse.start()
    await scene.link.want(amplifier=True)
    await scene.wait(3)
    taken = scene.moved(Through.COMPUTER, woke)
    assert taken is not None and taken - woke < 1.5 * SECOND
    assert scene.hears(PROGRAMME, woke + 2 * SECOND, scene.now)
