"""The simulated guardian and the real firmware behind its real driver keep the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.ports import Amplifier, FmTuner
from hardware.guardian_link import GuardianAmplifier, GuardianLink, GuardianTuner
from protocol.clock import WallMs
from simulators.chip_air import ChipCapture
from simulators.guardian import SimGuardian
from simulators.guardian_board import is_there
from simulators.guardian_horn import Through
from simulators.guardian_node import KEY, GuardianNode
from simulators.loop_clock import LoopClock
from tests.component import need
from tests.contracts.guardian.guardian_contract import PI, WALL_MS, GuardianContract, Stage, ether
from tests.contracts.guardian.pulse import Pulse
from tests.contracts.sound.amplifier_contract import AmplifierContract
from tests.contracts.sound.fm_tuner_contract import FmTunerContract

pytestmark = pytest.mark.slow


class SimPole:
    """Implements `guardian_contract.Pole`."""

    def __init__(self, guardian: SimGuardian) -> None:
        self._guardian = guardian

    def through(self) -> Through:
        return self._guardian.through

    def break_off(self) -> None:
        self._guardian.fail(True)

    def mend(self) -> None:
        self._guardian.fail(False)


class NodePole:
    """Implements `guardian_contract.Pole`."""

    def __init__(self, node: GuardianNode) -> None:
        self._node = node

    def through(self) -> Through:
        return self._node.through

    def break_off(self) -> None:
        self._node.board.power(False)

    def mend(self) -> None:
        self._node.board.power(True)


class TestSimGuardian(GuardianContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        clock = LoopClock(wall=WallMs(WALL_MS))
        guardian = SimGuardian(clock, ether=ether())
        async with Pulse(guardian, clock) as pulse:
            yield Stage(guardian, clock, pulse, SimPole(guardian))


@pytest.fixture
async def node() -> AsyncIterator[GuardianNode]:
    need(is_there(), "MicroPython for Node")
    async with GuardianNode(LoopClock(wall=WallMs(WALL_MS)), ether=ether()) as node:
        yield node


async def computer_gets_the_relay(node: GuardianNode) -> None:
    async with asyncio.timeout(10):
        while node.through is not Through.COMPUTER:
            await asyncio.sleep(0.05)


@pytest.fixture
async def link(node: GuardianNode) -> AsyncIterator[GuardianLink]:
    """A living computer that has the relay."""
    clock = LoopClock(wall=WallMs(WALL_MS))
    async with GuardianLink(node.open, KEY) as link, Pulse(link, clock) as pulse:
        pulse.start()
        await computer_gets_the_relay(node)
        yield link


class TestFirmware(GuardianContract):
    @pytest.fixture
    async def stage(self, node: GuardianNode) -> AsyncIterator[Stage]:
        clock = LoopClock(wall=WallMs(WALL_MS))
        async with GuardianLink(node.open, KEY) as link, Pulse(link, clock) as pulse:
            yield Stage(link, clock, pulse, NodePole(node))


class TestGuardianAmplifier(AmplifierContract):
    @pytest.fixture
    def amplifier(self, node: GuardianNode, link: GuardianLink) -> Amplifier:
        self.node = node
        return GuardianAmplifier(link)

    def line(self, amplifier: Amplifier) -> bool:
        return self.node.amplifier.on


class TestGuardianTuner(FmTunerContract):
    pi = PI

    @pytest.fixture
    async def tuner(self, node: GuardianNode, link: GuardianLink) -> FmTuner:
        assert node.chip is not None
        return GuardianTuner(link, ChipCapture(LoopClock(), ether(), node.chip))


class TestThroughARealTerminal(AmplifierContract):
    """pyserial opens a pseudo-terminal whose other end is the firmware's UART."""

    real_time = True

    @pytest.fixture
    async def amplifier(self) -> AsyncIterator[Amplifier]:
        need(is_there(), "MicroPython for Node")
        clock = LoopClock(wall=WallMs(WALL_MS))
        async with (
            GuardianNode(clock, ether=ether(), pty=True) as self.node,
            GuardianLink(str(self.node.path), KEY) as link,
            Pulse(link, clock) as pulse,
        ):
            pulse.start()
            await computer_gets_the_relay(self.node)
            yield GuardianAmplifier(link)

    def line(self, amplifier: Amplifier) -> bool:
        return self.node.amplifier.on
