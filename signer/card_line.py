"""The thread on which one PKCS#11 module is called.

The library is started without locking, a reader may take seconds, and a wrong PIN leaves a session behind: so all
calls to one module run one after the other on a thread of its own, and after a failure the module is started afresh,
which closes every session and finds cards that came in since.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import lru_cache
from typing import Any, Final, TypeVar

import pkcs11
from pkcs11 import exceptions

from signer.errors import CardError
from signer.i18n import gettext as _

_logger = logging.getLogger(__name__)
CALL_S_MAX: Final = 20.0
T = TypeVar("T")


class CardLine:
    """One module in this process; PKCS#11 knows no more than one application in it."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="card")
        self._fresh = True

    async def call(self, act: Callable[[Any], T], *, within_s: float = CALL_S_MAX) -> T:
        """Runs `act(module)` on the module's thread.

        Raises:
            CardError: the module cannot be loaded, or nothing answers in time.
            pkcs11.PKCS11Error: whatever the card said.
        """
        # What goes wrong there is told in the language of whoever asked.
        work = self._thread.submit(copy_context().run, self._run, act)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(work), within_s)
        except TimeoutError as error:
            raise CardError(
                _("The card does not answer. Please take it out, put it in again and try once more.")
            ) from error

    def call_now(self, act: Callable[[Any], T]) -> T:
        """The same for a command that may wait."""
        return self._thread.submit(copy_context().run, self._run, act).result(CALL_S_MAX)

    def _run(self, act: Callable[[Any], T]) -> T:
        try:
            library = pkcs11.lib(self._module)
            if not self._fresh:
                library.reinitialize()
                self._fresh = True
        except (exceptions.PKCS11Error, RuntimeError) as error:
            _logger.warning("PKCS#11 module %s cannot be loaded: %s", self._module, error)
            words = _("The card program %(path)s cannot be loaded. Please tell the technician.")
            raise CardError(words % {"path": self._module}) from error
        try:
            return act(library)
        except exceptions.PKCS11Error:
            self._fresh = False
            raise


@lru_cache
def card_line(module: str) -> CardLine:
    """The one line to a module."""
    return CardLine(module)
