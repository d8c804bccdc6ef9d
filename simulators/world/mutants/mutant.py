"""One deliberate break: some text of the agent's source in another form, put in place while it is imported.

Nothing is written to the source tree. A break whose text is no longer there, or is there twice, is an error: a test
holds that, so the list follows the code.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

ROOT: Final = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Edit:
    """One piece of source text.

    Attributes:
        file: below the repository's root.
        old: stands there exactly once.
    """

    file: str
    old: str
    new: str

    @property
    def module(self) -> str:
        """The module's name."""
        return self.file.removesuffix(".py").replace("/", ".")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A break.

    Attributes:
        name: what somebody would say who had made this mistake.
        edits: all of them together.
        days: how long a world has to last for it to show.
    """

    name: str
    edits: tuple[Edit, ...]
    days: float = 1.0


class BreakError(Exception):
    """A break does not fit the source."""


def broken_source(edit: Edit, source: str) -> str:
    """The source with the edit made.

    Raises:
        BreakError: the old text is not there exactly once.
    """
    count = source.count(edit.old)
    if count != 1:
        raise BreakError(f"{edit.file}: {count} times instead of once: {edit.old[:60]!r}")
    return source.replace(edit.old, edit.new)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, edits: Sequence[Edit]) -> None:
        super().__init__(name, path)
        self._edits = edits

    def get_code(self, fullname: str) -> CodeType:
        """Compiles the broken source; nothing is read from or written to a cache."""
        source = Path(self.path).read_text(encoding="utf-8")
        for edit in self._edits:
            source = broken_source(edit, source)
        return compile(source, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, edits: Iterable[Edit]) -> None:
        self._edits: dict[str, list[Edit]] = {}
        for edit in edits:
            self._edits.setdefault(edit.module, []).append(edit)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for modules that are to be broken; None for all others."""
        edits = self._edits.get(fullname)
        if edits is None:
            return None
        file = str(ROOT / edits[0].file)
        return importlib.util.spec_from_file_location(fullname, file, loader=_Loader(fullname, file, edits))


def put_in(mutant: Mutant) -> None:
    """From now on modules are imported broken.

    Raises:
        BreakError: one of them has been imported before.
    """
    early = sorted({edit.module for edit in mutant.edits} & set(sys.modules))
    if early:
        raise BreakError(f"imported before it could be broken: {', '.join(early)}")
    sys.meta_path.insert(0, _Finder(mutant.edits))
