"""Prints what the agent on a board needs, one requirement a line, from setup.cfg: markers judged for the board.

pip judges markers by the machine it runs on, also when it downloads for another one.
"""

from __future__ import annotations

import sys
from configparser import ConfigParser
from pathlib import Path

from packaging.requirements import Requirement

BOARD = {"platform_machine": "aarch64", "python_version": "3.11", "sys_platform": "linux", "platform_system": "Linux"}


def requirements(setup: Path) -> list[str]:
    """Of the package itself and its extras `agent` and `board`."""
    config = ConfigParser()
    config.read(setup, encoding="utf-8")
    extras = config["options.extras_require"]
    lines = (config["options"]["install_requires"] + extras["agent"] + extras["board"]).splitlines()
    wanted = [Requirement(line) for line in lines if line.strip()]
    for one in wanted:
        assert not one.extras and not one.url, "plain names and versions only"
    return [f"{one.name}{one.specifier}" for one in wanted if one.marker is None or one.marker.evaluate(BOARD)]


if __name__ == "__main__":
    print("\n".join(requirements(Path(sys.argv[1]))))
