"""Power is cut at every point of a device's saves, on honest cards and on cards that lie about flush."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from simulators.crash import device_story
from simulators.crash.cuts import Cuts
from simulators.crash.device_story import Story
from simulators.crash.trial import go_through

pytestmark = pytest.mark.slow


@pytest.fixture
def story(tmp_path: Path) -> Story:
    directory = tmp_path / "recorded"
    directory.mkdir()
    return device_story.record(directory, rounds=2)


def test_honest_card_keeps_what_was_acknowledged(story: Story, tmp_path: Path) -> None:
    cuts = Cuts(story.deeds, Random(1), samples=1)
    findings = go_through(cuts.honest(), story.judge, scratch=tmp_path / "scratch")
    assert findings.faults == []
    assert findings.different > len(story.deeds)


def test_lying_card_loses_nothing_in_silence(story: Story, tmp_path: Path) -> None:
    cuts = Cuts(story.deeds, Random(1), samples=1)
    findings = go_through(cuts.lying(), story.judge, scratch=tmp_path / "scratch")
    assert findings.faults == []
    assert findings.different > 2 * len(story.deeds)
