"""All recorded stories by name; each is recorded anew into an empty place below the given directory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from simulators.crash import controller_story, device_story, file_stories, outbox_story
from simulators.crash.trial import Recorded

Record = Callable[[Path], Recorded]


def _placed(record: Record, directory: Path) -> Recorded:
    place = directory / "recorded"
    place.mkdir(parents=True)
    return record(place)


def _stories(*, rounds: int) -> dict[str, Record]:
    found: dict[str, Record] = {
        "device state": partial(device_story.record, rounds=rounds),
        "rotten device state": partial(device_story.record_mending, rounds=rounds),
        "outbox": partial(outbox_story.record, rounds=4 * rounds),
        "programmes": file_stories.record_media,
        "journal": file_stories.record_journal,
        "root": file_stories.record_root,
        "controller": partial(controller_story.record, rounds=3 * rounds),
        "copy put back": controller_story.record_putting_back,
    }
    return {name: partial(_placed, record) for name, record in found.items()}


STORIES: Final = _stories(rounds=1)
"""Short ones, gone through in seconds."""
LONG_STORIES: Final = _stories(rounds=4)
