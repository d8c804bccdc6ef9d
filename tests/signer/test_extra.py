"""The signer stands on its own: what it imports is what its extra brings, and nothing of agent or controller."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

from signer.__main__ import main

ROOT = Path(__file__).parents[2]
OURS = {"signer", "protocol"}
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_ALL = """
import importlib, json, pkgutil, sys
before = {name.partition(".")[0] for name in sys.modules}
import signer
for module in pkgutil.iter_modules(signer.__path__):
    importlib.import_module(f"signer.{module.name}")
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} - before)))
"""


def settings() -> ConfigParser:
    read = ConfigParser()
    read.read(ROOT / "setup.cfg")
    return read


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted() -> set[str]:
    """Distributions of the extra and all that they need."""
    read = settings()
    lines = read["options.extras_require"]["signer"].split("\n") + read["options"]["install_requires"].split("\n")
    waiting = [found[0] for line in lines if (found := _NAME.match(line.strip()))]
    known: set[str] = set()
    while waiting:
        name = canonical(waiting.pop())
        if name in known:
            continue
        known.add(name)
        try:
            needs = requires(name) or []
        except PackageNotFoundError:
            continue
        waiting += [found[0] for line in needs if "extra ==" not in line and (found := _NAME.match(line))]
    return known


@pytest.mark.slow
def test_signer_imports_only_what_its_extra_brings() -> None:
    done = subprocess.run([sys.executable, "-c", _ALL], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name for name in json.loads(done.stdout) if not name.startswith(("_", "cython"))}
    foreign = loaded - OURS - set(sys.stdlib_module_names)
    named = packages_distributions()
    brought = wanted()
    strange = {name for name in foreign if not {canonical(one) for one in named.get(name, [])} & brought}
    assert not strange, f"not in the extra: {sorted(strange)}"
    assert "edge" not in loaded


def test_installed_program_has_a_name_and_its_pages() -> None:
    read = settings()
    assert "loalang-signer = signer.__main__:main" in read["options.entry_points"]["console_scripts"]
    patterns = [one.strip() for one in read["options.package_data"]["*"].split(",")]
    shipped = {path for pattern in patterns for path in (ROOT / "signer").glob(pattern)}
    kept = {path for folder in ("templates", "static") for path in (ROOT / "signer" / folder).iterdir()}
    assert kept <= shipped


def test_help_names_every_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("sign", "take", "update", "--controller"))
