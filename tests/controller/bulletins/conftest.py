"""The same stage as for signing."""

from tests.controller.signing.conftest import capabilities, hands, stage

__all__ = ["capabilities", "hands", "stage"]
