"""What every board offers to hands and eyes: one suite for simulated, mocked and real pins; see `wires`."""

import pytest

for _suite in ("button_panel", "lamps"):
    pytest.register_assert_rewrite(f"tests.contracts.panel.{_suite}_contract")
