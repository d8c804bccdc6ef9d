"""What `script/fuzz` runs: targets by name or group, for as long as somebody wants, with a corpus that grows.

python -m tests.fuzz.longer [TARGET|GROUP] [SECONDS]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.fuzz.registry import GROUPS, NAMES, group_of

CORPUS: Final = Path("data") / "fuzz"
_USUAL_S: Final = "60"


def main(arguments: list[str]) -> int:
    """The exit code: 2 for a name that does not exist, 1 when something failed."""
    if not arguments:
        print("\n".join(f"{group}: {' '.join(names)}" for group, names in GROUPS.items()))
        return 0
    name, seconds = arguments[0], (arguments[1:] or [_USUAL_S])[0]
    if name not in (*GROUPS, *NAMES) or not seconds.isdigit():
        print("usage: script/fuzz [TARGET|GROUP] [SECONDS]; without a target it says what there is", file=sys.stderr)
        return 2
    group, names = (name, GROUPS[name]) if name in GROUPS else (group_of(name), (name,))
    print(f"{len(names)} of {group}, {seconds} s each, corpus in {CORPUS}")
    command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz.guided", "--runs", "0", "--seconds", seconds]
    return subprocess.run([*command, "--keep", str(CORPUS), *names], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
