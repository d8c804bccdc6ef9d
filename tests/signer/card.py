"""A real PKCS#11 token of SoftHSM in a directory of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from signer.card import CardSlot
from tests.component import need

PIN = "471108"
LABEL = "loa-lang"


def module_path() -> str:
    """Where the distribution puts SoftHSM's module."""
    for root in ("/usr/lib", "/usr/local/lib", "/opt/homebrew/lib"):
        for pattern in ("softhsm/libsofthsm2.so", "*/softhsm/libsofthsm2.so"):
            for path in sorted(Path(root).glob(pattern)):
                return str(path)
    return ""


@dataclass(frozen=True)
class Token:
    """The token and the directory it lives in."""

    directory: Path
    slot: CardSlot

    @property
    def drawer(self) -> Path:
        """Where its files go when it is taken out."""
        return self.directory.with_name("drawer")

    def take_out(self) -> None:
        """As when someone pulls the card."""
        self.directory.rename(self.drawer)
        self.directory.mkdir()

    def put_in(self) -> None:
        """And puts it back."""
        if self.drawer.exists():
            self.directory.rmdir()
            self.drawer.rename(self.directory)


def make_token(base: Path) -> Token:
    """Makes an empty token; SoftHSM reads its settings once in a process, so there is one for all stories."""
    module, tool = module_path(), shutil.which("softhsm2-util")
    need(bool(module) and tool is not None, "softhsm2")
    assert tool is not None
    directory = base / "tokens"
    directory.mkdir()
    settings = base / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {directory}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    words = ["--init-token", "--free", "--label", LABEL, "--so-pin", "12345678", "--pin", PIN]
    subprocess.run([tool, *words], check=True, capture_output=True)
    return Token(directory, CardSlot(module, LABEL))
