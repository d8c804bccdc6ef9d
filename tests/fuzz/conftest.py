"""A running controller, as the controller's own tests have it."""

from __future__ import annotations

from tests.controller.conftest import capabilities, controller, filled, hands

__all__ = ["capabilities", "controller", "filled", "hands"]
