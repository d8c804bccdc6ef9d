"""`grant`, `deny` and `assign`: who may speak and which loudspeaker belongs where, made offline with key files.

Each command writes one file. Whoever else has to sign takes the file to their own machine and adds a signature there
with `grant sign`; no key leaves its owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from protocol.clock import DAY_MS
from protocol.document import Kind, kind_of
from protocol.envelope import Envelope, countersign
from protocol.grants import Anchor, Grant, HeldGrant, read_anchor
from protocol.keys import SigningKey, key_id
from protocol.units import unit_path
from protocol.verbs import Verb
from provisioning.asking import ask_passphrase, confirm_signing
from provisioning.ceremony import (
    Office,
    check_authorised,
    check_complete,
    hold,
    make_assignment,
    make_denial,
    make_grant,
    offices_for,
    renew_grant,
)
from provisioning.errors import ProvisioningError
from provisioning.grant_files import read_chain, read_envelope, read_grant
from provisioning.grant_words import described
from provisioning.i18n import gettext as _
from provisioning.i18n import ngettext
from provisioning.placement_file import read_placements
from provisioning.public_half import signing_half
from provisioning.terminal import console, explained, now
from signer.disk import write_durably
from signer.key_store import read_sealed, unseal

app: Final = typer.Typer(no_args_is_help=True, help="Who may say what, where.")
OPERATOR_DAYS_MAX: Final = 90
OFFICE_DAYS_MAX: Final = 1100

SignWith = Annotated[list[Path], typer.Option(help="a key file of whoever grants, once for each")]
AnchorPath = Annotated[Path, typer.Option(help="the pinned anchor file")]
Above = Annotated[list[Path], typer.Option(help="a grant above it, once for each up to the anchor, nearest first")]
_NO_FILES: Final[list[Path]] = []
_NO_KEYS: Final[list[str]] = []
_ANCHOR: Final = Path("anchor.json")


@app.command("make")
@explained
def make(
    *,
    scope: str,
    holder: Annotated[str, typer.Option(help="the office that acts")],
    verb: Annotated[list[Verb], typer.Option(help="what it may do, once for each")],
    key: Annotated[list[str], typer.Option(help="key file, or public key of 64 digits, once for each holder")],
    sign_with: SignWith,
    anchor: AnchorPath = _ANCHOR,
    parent: Above = _NO_FILES,
    threshold: int = 1,
    depth: Annotated[int, typer.Option(min=0, max=5, help="how many more grants may follow below it")] = 0,
    days: Annotated[int, typer.Option(min=1, max=OFFICE_DAYS_MAX)] = OPERATOR_DAYS_MAX,
    serial: int = 1,
    epoch: int = 0,
    out: Path = Path("grant.json"),
) -> None:
    """Makes a grant below the anchor or another grant; others may add their signature later."""
    _check_days(days, depth)
    pinned = read_anchor(anchor.read_bytes())
    keys = tuple(signing_half(one) for one in key)
    signers = _opened(sign_with)
    envelope = make_grant(
        Office(holder, unit_path(scope), tuple(verb), keys, threshold, depth),
        signers=signers,
        not_before=now(),
        life_ms=days * DAY_MS,
        serial=serial,
        epoch=epoch,
        parent=_nearest(parent, pinned),
    )
    _write(envelope, pinned, parent, out, signers=signers)


@app.command("renew")
@explained
def renew(
    *,
    file: Path,
    sign_with: SignWith,
    anchor: AnchorPath = _ANCHOR,
    parent: Above = _NO_FILES,
    days: Annotated[int, typer.Option(min=1, max=OFFICE_DAYS_MAX)] = OPERATOR_DAYS_MAX,
    epoch: Annotated[int | None, typer.Option(help="after a denial: its epoch")] = None,
    key: Annotated[list[str], typer.Option(help="other holders: all of them, as with grant make")] = _NO_KEYS,
    out: Annotated[Path | None, typer.Option(help="usually the file itself")] = None,
) -> None:
    """The same office with the next serial and a new life; with --key, in other hands."""
    former = read_grant(read_envelope(file))
    _check_days(days, former.depth)
    pinned = read_anchor(anchor.read_bytes())
    keys = tuple(signing_half(one) for one in key)
    signers = _opened(sign_with)
    envelope = renew_grant(
        former,
        signers=signers,
        not_before=now(),
        life_ms=days * DAY_MS,
        epoch=epoch,
        keys=keys,
        parent=_nearest(parent, pinned),
    )
    _write(envelope, pinned, parent, out or file, signers=signers)


@app.command("sign")
@explained
def sign_as_well(
    *,
    file: Path,
    sign_with: SignWith,
    anchor: AnchorPath = _ANCHOR,
    parent: Above = _NO_FILES,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask, for scripts")] = False,
) -> None:
    """Shows a grant, denial or assignment that waits for another signature, asks, and adds it."""
    envelope, pinned = read_envelope(file), read_anchor(anchor.read_bytes())
    offices = offices_for(envelope, pinned, hold(read_chain(parent), pinned))
    for line in described(envelope, offices):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    _check_counting([read_sealed(path).public for path in sign_with], offices)
    if not yes:
        confirm_signing()
    signers = _opened(sign_with)
    for key in signers:
        envelope = countersign(envelope, key)
    _write(envelope, pinned, parent, file, signers=signers)


def deny(
    *,
    scope: str,
    holder: Annotated[str, typer.Option(help="whose grants end; “anchor” for those of the anchor itself")],
    epoch: Annotated[int, typer.Option(min=1, help="grants of this grantor with a lower epoch end")],
    sign_with: SignWith,
    anchor: AnchorPath = _ANCHOR,
    parent: Above = _NO_FILES,
    out: Path = Path("denial.json"),
) -> None:
    """Takes back what a grantor gave. Make the grants that shall stay anew first, with the new epoch."""
    pinned = read_anchor(anchor.read_bytes())
    signers = _opened(sign_with)
    envelope = make_denial(unit_path(scope), holder, epoch=epoch, issued=now(), signers=signers)
    _write(envelope, pinned, parent, out, signers=signers)


def assign(
    *,
    file: Annotated[Path, typer.Argument(help="CSV or JSON with device, place and, if it moves, former")],
    scope: str,
    sign_with: SignWith,
    anchor: AnchorPath = _ANCHOR,
    parent: Above = _NO_FILES,
    out: Path = Path("assignment.json"),
) -> None:
    """Makes the word on which loudspeaker belongs where; an empty place takes one out of service."""
    pinned = read_anchor(anchor.read_bytes())
    placements, signers = read_placements(file), _opened(sign_with)
    envelope = make_assignment(unit_path(scope), placements, issued=now(), signers=signers)
    _write(envelope, pinned, parent, out, signers=signers)
    words = ngettext("It names %(count)d loudspeaker.", "It names %(count)d loudspeakers.", len(placements))
    console.print(words % {"count": len(placements)})


def add_to(whole: typer.Typer) -> None:
    """`grant …` as a group; `deny` and `assign make` beside it."""
    whole.add_typer(app, name="grant")
    whole.command("deny")(explained(deny))
    words = typer.Typer(no_args_is_help=True, help="Which loudspeaker belongs where.")
    words.command("make")(explained(assign))
    whole.add_typer(words, name="assign")


def _check_days(days: int, depth: int) -> None:
    if depth == 0 and days > OPERATOR_DAYS_MAX:
        words = _("An operator's grant lives at most %(days)d days. Renewal is part of the work.")
        raise ProvisioningError(words % {"days": OPERATOR_DAYS_MAX})


def _opened(paths: list[Path]) -> list[SigningKey]:
    return [unseal(read_sealed(path), ask_passphrase(path)) for path in paths]


def _nearest(parents: list[Path], anchor: Anchor) -> HeldGrant | None:
    if not parents:
        return None
    held = hold(read_chain(parents), anchor)
    return held[read_envelope(parents[0]).digest]


def _check_counting(keys: Iterable[str], offices: Iterable[Grant]) -> None:
    """One key at the wrong table would be noticed only when all have gone home.

    Raises:
        ProvisioningError: a key has no part in the document.
    """
    counting = {key for one in offices for key in one.keys}
    for key in keys:
        if key not in counting:
            words = _("This key does not count here: %(id)s. Nothing was written.")
            raise ProvisioningError(words % {"id": key_id(key)})


def _write(
    envelope: Envelope, anchor: Anchor, parents: list[Path], out: Path, *, signers: Iterable[SigningKey]
) -> None:
    kind, above = kind_of(envelope), read_chain(parents)
    if kind is Kind.GRANT:
        complete = check_complete(envelope, anchor, above)
    else:
        complete = check_authorised(envelope, anchor, above, wall=now())
    _check_counting((one.public for one in signers), offices_for(envelope, anchor, hold(above, anchor)))
    write_durably(out, envelope.pack(), mode=0o644)
    said = {Kind.GRANT: _("Grant written to %(path)s."), Kind.DENIAL: _("Denial written to %(path)s.")}
    console.print(said.get(kind, _("Assignment written to %(path)s.")) % {"path": out})
    if kind is Kind.GRANT and isinstance(grant := read_grant(envelope), Grant):
        console.print(_("Serial %(serial)d, epoch %(epoch)d.") % {"serial": grant.serial, "epoch": grant.epoch})
    if complete:
        console.print(_("Enough have signed it; it can be posted."))
    else:
        console.print(_("It still waits for the signature of another holder."))
