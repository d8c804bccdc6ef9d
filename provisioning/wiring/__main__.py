"""`script/wiring`: writes the drawings and tables of the wiring handbook; `--check` writes nothing."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from provisioning.wiring.board import VARIANTS
from provisioning.wiring.line import draw_line
from provisioning.wiring.meter import draw_meter
from provisioning.wiring.supply import draw_supply
from provisioning.wiring.tables import filled
from provisioning.wiring.variants import draw_variant

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = {DOCS / "wiring.md": False, DOCS / "wiring.vi.md": True}
"""Each page, and whether it is the Vietnamese one."""


def drawings() -> dict[Path, str]:
    """Every drawing, by the path at which it is kept."""
    made = {name: draw_variant(name) for name in VARIANTS}
    made |= {"line": draw_line(), "supply": draw_supply(), "meter": draw_meter()}
    return {DOCS / "wiring" / f"{name}.svg": text for name, text in made.items()}


def pages() -> dict[Path, str]:
    """Every page, with its tables made anew."""
    return {path: filled(path.read_text(), vietnamese=vietnamese) for path, vietnamese in PAGES.items()}


def main(arguments: list[str]) -> int:
    """Writes what has changed; with `--check` it writes nothing and fails if something has."""
    parser = argparse.ArgumentParser("script/wiring", description="Makes drawings and tables of docs/wiring.md anew.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something would change")
    check = parser.parse_args(arguments).check
    made = drawings() | pages()
    changed = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in changed:
        print(path.relative_to(DOCS.parent))
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(made[path])
    return int(bool(changed) and check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
