"""The same stage as for authorities: a chain, loudspeakers, people."""

from __future__ import annotations

from tests.controller.authority.conftest import Province, capabilities, province

__all__ = ["Province", "capabilities", "province"]
