"""Power is cut at every point while a device stores something, on honest cards and on cards that lie about flush."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from simulators.crash.stories import STORIES
from simulators.crash.trial import card_place, go_through

pytestmark = pytest.mark.slow
HONEST = {"controller", "copy put back"}
"""These are on a server's disk."""


@pytest.fixture
def cards() -> Iterator[Path]:
    with card_place() as place:
        yield place


@pytest.mark.parametrize("name", sorted(STORIES))
def test_honest_card_keeps_what_was_acknowledged(name: str, cards: Path) -> None:
    story = STORIES[name](cards)
    findings = go_through(story.cuts(Random(1), samples=1).honest(), story.judge, scratch=cards / "scratch")
    assert findings.faults == []
    assert findings.cuts > len(story.deeds) - story.first


@pytest.mark.parametrize("name", sorted(STORIES.keys() - HONEST))
def test_lying_card_loses_nothing_in_silence(name: str, cards: Path) -> None:
    story = STORIES[name](cards)
    assert story.may_lie
    findings = go_through(story.cuts(Random(1), samples=1).lying(), story.judge, scratch=cards / "scratch")
    assert findings.faults == []
    assert findings.cuts > 2 * (len(story.deeds) - story.first)
