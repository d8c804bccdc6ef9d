"""A frozen state of the core is copied with changes, and never with a field that it has not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from edge.core.change import replace


@dataclass(frozen=True, slots=True)
class Slotted:
    horn: int
    volume: int = 3


@dataclass(frozen=True, slots=True)
class Single:
    horn: int


@pytest.mark.parametrize("state", [Slotted(1), Single(1)])
def test_copy_has_the_change_and_the_old_one_stays(state: Any) -> None:
    assert replace(state, horn=2).horn == 2
    assert state.horn == 1
    assert replace(state) == state


@pytest.mark.parametrize("state", [Slotted(1), Single(1)])
def test_field_that_is_not_there_is_refused(state: Any) -> None:
    with pytest.raises(KeyError, match="trumpet"):
        replace(state, trumpet=2)
