"""The workshop's menu with what a test needs around it: folders, a helper that notes, lines that are typed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hardware.board_file import BoardFile
from hardware.errors import BoardError
from hardware.i18n import CATALOGUE
from hardware.selftest.parts import Parts
from hardware.workshop.errand import Errands
from hardware.workshop.menu import Menu, Tools
from hardware.workshop.place import Place
from hardware.workshop.terminal import HungUpError, Terminal

TRY_ALL, TRY_SILENT, TRY_ONE, PAIR, CLOCK, PAPERS, SAVE, LANGUAGE, LEAVE = range(1, 10)
TOKEN: Final = "secret-of-this-device"


class Helper(Errands):
    """Notes what root would have been asked for."""

    def __init__(self, refusal: str = "") -> None:
        super().__init__(Path("/nowhere"))
        self.done: list[tuple[str, ...]] = []
        self._refusal = refusal

    def _done(self, line: str, content: bytes = b"") -> str:
        if self._refusal:
            raise BoardError(self._refusal)
        self.done.append((line, content.decode()))
        return f"stick loalang-selftest-{line.split()[-1]}.json"


class Bench:
    """A menu, what is typed into it and what it says."""

    def __init__(self, place: Place) -> None:
        self.place, self.helper = place, Helper()
        self.runs: list[list[str]] = []
        self.make_clock: Callable[[BoardFile], Parts] = lambda _: Parts()
        self.code = 0

    def use(self, *lines: object) -> str:
        """Types lines, then hangs up unless it was left; gives what was said."""
        told = io.StringIO()
        typed = io.StringIO("".join(f"{one}\n" for one in lines))
        terminal = Terminal(typed, told, on_line=self.place.touch)
        try:
            Menu(terminal, self.place, Tools(self.helper, self.run, self.make_clock)).serve()
        except HungUpError:
            pass
        return told.getvalue()

    def run(self, arguments: Sequence[str]) -> int:
        """Stands for the self-test."""
        self.runs.append(list(arguments))
        self.place.report.write_text("{}")
        return self.code


@contextmanager
def opened(tmp_path: Path) -> Iterator[Bench]:
    """With papers of a device, and in English."""
    for name in ("etc", "run"):
        (tmp_path / name).mkdir()
    device = {
        "device": "dev-c07",
        "place": "vn/hue/c07",
        "token": TOKEN,
        "controller_url": f"https://box:{TOKEN}@controller.example/x?key={TOKEN}",
        "mqtt_host": "broker.example",
        "mqtt_port": 8883,
    }
    (tmp_path / "etc" / "device.json").write_text(json.dumps(device))
    CATALOGUE.use("en")
    yield Bench(Place(tmp_path / "etc", tmp_path / "run", tmp_path / "errands"))
    CATALOGUE.use("vi")


def board(bench: Bench, **parts: object) -> None:
    """Writes its board.json."""
    (bench.place.etc / "board.json").write_text(json.dumps({"sound": {"card": "hw:0"}, **parts}))
