"""`grant`, `deny` and `assign`: who may speak and which loudspeaker belongs where, made offline with key files.

Each command writes one file. Whoever else has to sign takes the file to their own machine and adds a signature there
with `grant sign`; no key leaves its owner.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from protocol.clock import DAY_MS, local_datetime
from protocol.document import Kind, kind_of
from protocol.envelope import Envelope, countersign
from protocol.grants import Anchor, Grant, HeldGrant, read_anchor
from protocol.keys import SigningKey, key_id
from protocol.units import unit_path
from protocol.verbs import Verb
from provisioning.ceremony import (
    Office,
    check_authorised,
    check_complete,
    hold,
    make_assignment,
    make_denial,
    make_grant,
    renew_grant,
)
from provisioning.errors import ProvisioningError
from provisioning.grant_files import read_chain, read_envelope, read_grant
from provisioning.i18n import gettext as _
from provisioning.placement_file import read_placements
from provisioning.terminal import ask_passphrase, console, explained, now
from signer.disk import write_durably
from signer.key_store import read_sealed, unseal

app: Final = typer.Typer(no_args_is_help=True, help="Who may say what, where.")
OPERATOR_DAYS_MAX: Final = 90
OFFICE_DAYS_MAX: Final = 1100

SignWith = Annotated[list[Path], typer.Option(help="a key file of whoever grants, once for each")]
AnchorPath = Annotated[Path, typer.Option(help="the pinned anchor file")]
Above = Annotated[list[Path], typer.Option(help="a grant above it, once for each up to the anchor, nearest first")]
_NO_FILES: Final[list[Path]] = []
_ANCHOR: Final = Path("anchor.json")


@app.command("make")
@explained
def make(
    *,
    scope: str,
    holder: Annotated[str, typer.Option(help="the office that acts")],
    verb: Annotated[list[Verb], typer.Option(help="what it may do, once for each")],
    key: Annotated[list[str], typer.Option(help="public key of a holder, once for each")],
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
    envelope = make_grant(
        Office(holder, unit_path(scope), tuple(verb), tuple(key), threshold, depth),
        signers=_opened(sign_with),
        not_before=now(),
        life_ms=days * DAY_MS,
        serial=serial,
        epoch=epoch,
        parent=_nearest(parent, pinned),
    )
    _write(envelope, pinned, parent, out)


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
    out: Annotated[Path | None, typer.Option(help="usually the file itself")] = None,
) -> None:
    """The same office with the next serial and a new life."""
    former = read_grant(read_envelope(file))
    _check_days(days, former.depth)
    pinned = read_anchor(anchor.read_bytes())
    envelope = renew_grant(
        former,
        signers=_opened(sign_with),
        not_before=now(),
        life_ms=days * DAY_MS,
        epoch=epoch,
        parent=_nearest(parent, pinned),
    )
    _write(envelope, pinned, parent, out or file)


@app.command("sign")
@explained
def sign_as_well(*, file: Path, sign_with: SignWith, anchor: AnchorPath = _ANCHOR, parent: Above = _NO_FILES) -> None:
    """Shows a grant, denial or assignment that waits for another signature, and adds it."""
    envelope = read_envelope(file)
    console.print_json(envelope.payload.decode())
    if kind_of(envelope) is Kind.GRANT:
        _tell_life(read_grant(envelope))
    for key in _opened(sign_with):
        envelope = countersign(envelope, key)
    _write(envelope, read_anchor(anchor.read_bytes()), parent, file)


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
    _write(envelope, pinned, parent, out)


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
    _write(envelope, pinned, parent, out)
    console.print(_("It names %(count)d loudspeakers.") % {"count": len(placements)})


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


def _write(envelope: Envelope, anchor: Anchor, parents: list[Path], out: Path) -> None:
    kind, above = kind_of(envelope), read_chain(parents)
    if kind is Kind.GRANT:
        complete = check_complete(envelope, anchor, above)
    else:
        complete = check_authorised(envelope, anchor, above, wall=now())
    write_durably(out, envelope.pack(), mode=0o644)
    said = {Kind.GRANT: _("Grant written to %(path)s."), Kind.DENIAL: _("Denial written to %(path)s.")}
    console.print(said.get(kind, _("Assignment written to %(path)s.")) % {"path": out})
    if kind is Kind.GRANT and isinstance(grant := read_grant(envelope), Grant):
        console.print(_("Serial %(serial)d, epoch %(epoch)d.") % {"serial": grant.serial, "epoch": grant.epoch})
    if complete:
        console.print(_("Enough have signed it; it can be posted."))
    else:
        console.print(_("It still waits for the signature of another holder."))


def _tell_life(grant: Grant) -> None:
    """What the numbers above mean, for whoever compares them with the paper."""
    values = {
        name: f"{local_datetime(at):%d/%m/%Y}" for name, at in (("begin", grant.not_before), ("end", grant.expires))
    }
    console.print(_("Valid from %(begin)s until %(end)s.") % values)
    for key in grant.keys:
        console.print(_("For the key with the number %(id)s.") % {"id": key_id(key)})
