"""The same hour as for signing: no quiet hours by chance."""

from tests.controller.signing.conftest import hands

__all__ = ["hands"]
