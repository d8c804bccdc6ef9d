"""The words of the command line: `sign`, `take` and `update` do one thing and end; without one, pages are served."""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from pathlib import Path
from typing import Final

from protocol.clock import WallMs
from protocol.document import Kind
from protocol.errors import Refusal
from signer import i18n, wording
from signer.app import make_pen
from signer.config import SignerConfig, origin
from signer.errors import SignerError
from signer.i18n import gettext as _
from signer.root import update
from signer.terminal import Errand, Person, sign_file
from signer.word_file import FILE_BYTES_MAX, read_words
from signer.word_store import WordStore

_COMMON: Final = argparse.SUPPRESS
"""An option after the word counts as well as one before it."""


_UNDER_A_GRANT: Final = frozenset({Kind.DENIAL, Kind.ASSIGNMENT})
_GRANT_MISSING: Final = {
    Refusal.UNKNOWN_KEY: lambda: _("No grant known here names its key: take the grant it was signed under first."),
    Refusal.THRESHOLD_NOT_MET: lambda: _(
        "Too few have signed it under the grants known here: take the grant it was signed under first."
        " If that is here, another signature is missing."
    ),
}
"""A key may stand in several grants: in the one that is missing here alone, in a wider one that is here together."""


def parser() -> argparse.ArgumentParser:
    """All words and options."""
    top = argparse.ArgumentParser(prog="loalang-signer", description="Shows, asks and signs on this machine.")
    top.add_argument("--data", type=Path, default=Path("data"), help="directory of keys, grants and the log")
    top.add_argument("--host", default="127.0.0.1")
    top.add_argument("--port", type=int, default=8090)
    top.add_argument("--controller", type=origin, default="http://127.0.0.1:8080", help="origin it works for")
    words = top.add_subparsers(dest="command", metavar="{sign,take,update}")
    sign = words.add_parser("sign", help="shows what a request file says, asks, and writes the signed file")
    sign.add_argument("file", type=Path)
    sign.add_argument("--out", type=Path, required=True, help="the signed file, for `provisioning post`")
    sign.add_argument("--key", default="", help="name of the key that signs")
    sign.add_argument("--media", type=Path, help="folder or stick with the recordings")
    take = words.add_parser("take", help="learns grants, denials and assignments from files")
    take.add_argument("files", type=Path, nargs="+")
    fresh = words.add_parser("update", help="brings the anchor and the word of the root through TUF")
    fresh.add_argument("--usb", type=Path, help="from this stick instead of the controller")
    for one in (sign, take, fresh):
        one.add_argument("--data", type=Path, default=_COMMON, help=argparse.SUPPRESS)
        one.add_argument("--controller", type=origin, default=_COMMON, help=argparse.SUPPRESS)
    return top


def run(given: argparse.Namespace, config: SignerConfig, *, person: Person | None = None) -> int:
    """Runs one word; gives the exit code. A failure is a sentence.

    Args:
        person: whoever sits there; stories bring their own.
    """
    i18n.compile_catalogues()
    i18n.use_language(os.environ.get("LOALANG_LANG", ""))
    someone = person or Person()
    try:
        if given.command == "sign":
            errand = Errand(given.file, given.out, given.media, given.key)
            pen = make_pen(config)
            asyncio.run(sign_file(errand, config=config, pen=pen, wall=_wall(), person=someone))
            return 0
        if given.command == "take":
            return _take(given.files, config, someone)
        return _update(given.usb, config, someone)
    except SignerError as error:
        someone.say(str(error))
        return 1


def _wall() -> WallMs:
    return WallMs(time.time_ns() // 1_000_000)


def _take(files: list[Path], config: SignerConfig, person: Person) -> int:
    store = WordStore(config.data)
    envelopes = [one for path in files for one in read_words(_bytes(path))]
    taken = store.take(envelopes, wall=_wall())
    for one in taken:
        state = _("refused") + f" ({one.refusal})" if one.refusal else _("taken") if one.fresh else _("known already")
        person.say(f"{wording.kind_name(one.kind)} {one.digest[:12]}: {state}")
        if one.kind in _UNDER_A_GRANT and one.refusal in _GRANT_MISSING:
            person.say("  " + _GRANT_MISSING[one.refusal]())
    return 1 if any(one.refusal for one in taken) else 0


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        words = _("The file %(path)s cannot be read: %(why)s")
        raise SignerError(words % {"path": path, "why": error.strerror}) from error


def _update(usb: Path | None, config: SignerConfig, person: Person) -> int:
    done = update(config.data, controller=config.controller, stick=usb)
    person.say(_("Anchor: %(state)s") % {"state": _("new") if done.anchor else _("unchanged")})
    person.say(_("Word of the root: %(state)s") % {"state": _("new") if done.word else _("unchanged")})
    if done.software:
        person.say(_("Newer software of the signer was fetched and verified: %(path)s") % {"path": done.software})
    return 0
