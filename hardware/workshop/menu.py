"""The menu: numbers and what is behind them. Whatever goes wrong behind one of them, the menu comes back."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hardware.board_file import BoardFile
from hardware.errors import PortError
from hardware.i18n import CATALOGUE, N_, worded
from hardware.i18n import gettext as _
from hardware.selftest.asking import means_yes
from hardware.selftest.fitting import clock_alone
from hardware.selftest.quiet import VIET_NAM
from hardware.workshop import trying
from hardware.workshop.clock import Made, set_clock_chip
from hardware.workshop.errand import CONTENT_BYTES_MAX, Errands
from hardware.workshop.pairing import pair_guardian
from hardware.workshop.papers import device_of, papers
from hardware.workshop.place import Place
from hardware.workshop.terminal import HungUpError, Terminal

_OTHER_LANGUAGE: Final = {"vi": "English", "en": "Tiếng Việt"}
_NAME_CHARS_MAX: Final = 30
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What the menu works with; tests put others in."""

    errands: Errands
    run_selftest: trying.Run = trying.run_selftest
    make_clock: Callable[[BoardFile], Made] = clock_alone


class Menu:
    """One terminal's menu."""

    def __init__(self, terminal: Terminal, place: Place, tools: Tools) -> None:
        self._terminal, self._place, self._tools = terminal, place, tools
        self._left = False
        self._acts: tuple[tuple[str, Callable[[], None]], ...] = (
            (N_("Try all parts"), self._try_all),
            (N_("Try all parts, without a sound"), self._try_silent),
            (N_("Try one part"), self._try_one),
            (N_("Pair the guardian"), self._pair),
            (N_("Set the clock chip"), self._set_clock),
            (N_("Which device is this?"), self._show_papers),
            (N_("Save the report of the last self-test"), self._save),
            ("", self._change_language),
            (N_("Leave the workshop and start the loudspeaker"), self._leave),
        )

    def serve(self) -> None:
        """Until the computer starts anew. Raises HungUpError when nobody is there any more."""
        while not self._left:
            try:
                self._show()
                self._choose(self._terminal.ask(_("Number, then Enter:")))
            except KeyboardInterrupt:
                self._terminal.say()

    def _show(self) -> None:
        title = _("Loa Làng workshop: the loudspeaker is silent")
        self._terminal.say(f"\n=== {title} === {device_of(self._place)[:_NAME_CHARS_MAX]}")
        for number, (words, _act) in enumerate(self._acts, 1):
            self._terminal.say(f"  {number}  {_(words) if words else _OTHER_LANGUAGE[CATALOGUE.language]}")

    def _choose(self, answer: str) -> None:
        number = answer.rstrip(".) ")
        if not number:
            return
        if len(number) != 1 or number not in "123456789":
            self._terminal.say(_("There is no such number."))
            return
        try:
            self._acts[int(number) - 1][1]()
        except HungUpError:
            raise
        except TimeoutError:
            self._terminal.say(_("It did not work: %(why)s") % {"why": _("no answer in time")})
        except (PortError, OSError) as error:
            self._terminal.say(_("It did not work: %(why)s") % {"why": worded(error)})
        except Exception as error:
            _log.warning("the workshop stumbled", exc_info=True)
            self._terminal.say(_("It did not work: %(why)s") % {"why": f"{type(error).__name__}: {error}"[:200]})

    def _try(self, names: Sequence[str]) -> None:
        trying.try_parts(self._terminal, self._place, names, self._tools.run_selftest)

    def _try_all(self) -> None:
        self._try(())

    def _try_silent(self) -> None:
        self._try(trying.silent_names())

    def _try_one(self) -> None:
        name = trying.choose_part(self._terminal)
        if name:
            self._try((name,))

    def _pair(self) -> None:
        pair_guardian(self._terminal, self._place, self._tools.errands)

    def _set_clock(self) -> None:
        set_clock_chip(self._terminal, self._place, make=self._tools.make_clock)

    def _show_papers(self) -> None:
        for line in papers(self._place):
            self._terminal.say(line)

    def _save(self) -> None:
        try:
            with self._place.report.open("rb") as file:
                report = file.read(CONTENT_BYTES_MAX + 1)
        except FileNotFoundError:
            self._terminal.say(_("There is no report yet: try the parts first."))
            return
        name = f"{device_of(self._place)}-{datetime.now(VIET_NAM):%Y%m%d-%H%M%S}"
        plain = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[-60:].strip("-")
        where, file_name = self._tools.errands.save_report(plain, report)
        words = _("Saved on the stick as %(name)s. It may be pulled out.")
        if where != "stick":
            words = _("There is no stick: saved on the card's boot partition as %(name)s.")
        self._terminal.say(words % {"name": file_name})

    def _change_language(self) -> None:
        CATALOGUE.use("en" if CATALOGUE.language == "vi" else "vi")

    def _leave(self) -> None:
        if not means_yes(self._terminal.ask(_("Is everything wired, and may the loudspeaker sound again? [y/N]"))):
            return
        self._tools.errands.leave()
        self._left = True
        self._terminal.say(_("It starts anew …"))
