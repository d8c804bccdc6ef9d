"""The simulated board's buttons and lamps keep the contracts."""

from __future__ import annotations

import pytest

from hardware.interfaces import ButtonPanel, Lamps
from simulators.button import SimButtons
from simulators.lamps import SimLamps
from tests.contracts.panel.button_panel_contract import ButtonPanelContract, Hands
from tests.contracts.panel.lamps_contract import LampsContract


class TestSimButtons(ButtonPanelContract):
    @pytest.fixture
    def hands(self) -> Hands:
        return SimButtons()

    @pytest.fixture
    def panel(self, hands: Hands) -> ButtonPanel:
        assert isinstance(hands, SimButtons)
        return hands


class TestSimLamps(LampsContract):
    @pytest.fixture
    def lamps(self) -> Lamps:
        return SimLamps()

    def lit(self, lamps: Lamps, name: str) -> bool:
        assert isinstance(lamps, SimLamps)
        return lamps.lit(name)
