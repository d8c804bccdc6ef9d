"""The commands of the root: begin, sign without a network, change hands, publish, renew, look."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from protocol import codec
from protocol.clock import LOCAL_ZONE, WallMs
from protocol.keys import SigningKey, key_id
from provisioning.asking import ask_passphrase, confirm_signing, new_passphrase
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.public_half import signing_half
from provisioning.root import NewTarget, RootDirectory, Waiting
from provisioning.root_keys import ROLES, RoleKeys, tuf_key, tuf_signer
from provisioning.root_metadata import read_metadata
from provisioning.root_word import TARGET, next_word, read_denied
from provisioning.root_words import days_left, described, ends_on, warning
from provisioning.terminal import console, explained, now
from signer.disk import write_durably
from signer.key_store import KeyStore, read_sealed, seal, unseal

app: Final = typer.Typer(no_args_is_help=True, help="The root of trust (TUF).")
_NEW: Final = "new:"

Directory = Annotated[Path, typer.Option("--directory", help="the province's repository")]
SignWith = Annotated[list[Path], typer.Option(help="a holder's key file, once for each")]
Holders = Annotated[
    list[str], typer.Option(help="public key, key file, or new:NAME to make one; once for each holder")
]
Threshold = Annotated[int, typer.Option(min=1)]
KeyFolder = Annotated[Path, typer.Option(help="where new key files are put")]
_ROOT: Final = Path("root")
_KEYS: Final = Path("keys")


class _Table:
    """Keys at the table: those that were opened, each once."""

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self.opened: list[SigningKey] = []
        for path in paths:
            self.opened.append(unseal(read_sealed(path), ask_passphrase(path)))

    def holders(self, named: list[str], *, threshold: int, keys: Path) -> RoleKeys:
        """What was named on the command line, as public keys; new keys are made and stay open."""
        return RoleKeys(tuple(self._public(one, keys) for one in named), threshold)

    def _public(self, named: str, keys: Path) -> str:
        if named.startswith(_NEW):
            return self._new(named.removeprefix(_NEW), keys)
        return signing_half(named)

    def _new(self, name: str, keys: Path) -> str:
        if (keys / f"{name}.json").exists():
            return read_sealed(keys / f"{name}.json").public
        console.print(_("A new key: %(name)s. Its holder types the passphrase.") % {"name": name})
        key = SigningKey.generate()
        KeyStore(keys).add(seal(key, name=name, holder=name, passphrase=new_passphrase(name)))
        self.opened.append(key)
        return key.public

    def signers(self) -> tuple[CryptoSigner, ...]:
        return tuple(tuf_signer(key) for key in self.opened)


def add_to(whole: typer.Typer) -> None:
    """Adds the group."""
    whole.add_typer(app, name="root")


@app.command("init")
@explained
def root_init(
    *,
    root_key: Holders,
    targets_key: Holders,
    snapshot_key: Holders,
    timestamp_key: Holders,
    root_threshold: Threshold = 3,
    targets_threshold: Threshold = 2,
    sign_with: SignWith = [],  # noqa: B006
    directory: Directory = _ROOT,
    keys: KeyFolder = _KEYS,
) -> None:
    """Begins a root; complete when enough holders have signed it."""
    table = _Table(sign_with)
    named = {
        Root.type: (root_key, root_threshold),
        Targets.type: (targets_key, targets_threshold),
        Snapshot.type: (snapshot_key, 1),
        Timestamp.type: (timestamp_key, 1),
    }
    holders = {role: table.holders(one, threshold=many, keys=keys) for role, (one, many) in named.items()}
    repository = RootDirectory(directory, wall=now())
    repository.begin(holders)
    _tell(repository.advance(table.signers()))


@app.command("sign")
@explained
def root_sign(
    *,
    file: Path,
    sign_with: SignWith,
    out: Annotated[Path | None, typer.Option(help="the signed copy; the file itself when not given")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask, for scripts")] = False,
    directory: Directory = _ROOT,
) -> None:
    """Shows a draft and adds a holder's signature; needs no network, and no repository to sign a copy."""
    draft = read_metadata(file.read_bytes())
    for line in described(draft):
        console.print(line, markup=False, soft_wrap=True)
    _check_counting(draft, sign_with, near=(file.parent.parent, directory))
    if not yes:
        confirm_signing()
    for signer in _Table(sign_with).signers():
        draft.sign(signer, append=True)
    write_durably(out or file, draft.to_bytes(JSONSerializer()), mode=0o644)
    console.print(_("Signed: %(path)s.") % {"path": out or file})


def _check_counting(draft: Metadata[Any], sign_with: Iterable[Path], *, near: Iterable[Path]) -> None:
    """Whether every key has a part in the draft, as far as a root that lies near can tell.

    Raises:
        ProvisioningError: one has none.
    """
    found = next((one for path in near if (one := RootDirectory(path, wall=now())).begun), None)
    if found is None:
        console.print(_("Which keys count is told by the root, which is not here; “root collect” will look."))
        return
    counting = found.key_ids(draft)
    for path in sign_with:
        public = read_sealed(path).public
        if tuf_key(public).keyid not in counting:
            words = _("This key does not count here: %(id)s. Nothing was written.")
            raise ProvisioningError(words % {"id": key_id(public)})


@app.command("collect")
@explained
def root_collect(*, files: list[Path], sign_with: SignWith = [], directory: Directory = _ROOT) -> None:  # noqa: B006
    """Takes over the signatures of copies that holders have signed, and publishes what is complete."""
    repository = RootDirectory(directory, wall=now())
    for file in files:
        repository.collect(file.read_bytes())
    _tell(repository.advance(_Table(sign_with).signers()))


@app.command("rotate")
@explained
def root_rotate(
    *,
    root_key: Holders = [],  # noqa: B006
    targets_key: Holders = [],  # noqa: B006
    snapshot_key: Holders = [],  # noqa: B006
    timestamp_key: Holders = [],  # noqa: B006
    root_threshold: Threshold = 3,
    targets_threshold: Threshold = 2,
    sign_with: SignWith = [],  # noqa: B006
    directory: Directory = _ROOT,
    keys: KeyFolder = _KEYS,
) -> None:
    """Gives roles to new holders, or the root a new year; the old and the new holders of the root sign."""
    table = _Table(sign_with)
    named = {
        Root.type: (root_key, root_threshold),
        Targets.type: (targets_key, targets_threshold),
        Snapshot.type: (snapshot_key, 1),
        Timestamp.type: (timestamp_key, 1),
    }
    holders = {role: table.holders(one, threshold=many, keys=keys) for role, (one, many) in named.items() if one}
    repository = RootDirectory(directory, wall=now())
    repository.rotate(holders)
    _tell(repository.advance(table.signers()))


@app.command("publish")
@explained
def root_publish(
    *,
    anchor: Annotated[Path | None, typer.Option(help="the province's anchor file")] = None,
    word: Annotated[Path | None, typer.Option(help="the root's word, made by “root word”")] = None,
    software: Annotated[list[str], typer.Option(help="PRODUCT:VERSION:PLATFORM:FILE, once for each")] = [],  # noqa: B006
    remove: Annotated[list[str], typer.Option(help="a target that is no longer offered")] = [],  # noqa: B006
    sign_with: SignWith = [],  # noqa: B006
    to: Annotated[Path | None, typer.Option(help="the controller's DATA/root")] = None,
    directory: Directory = _ROOT,
) -> None:
    """Publishes the anchor, the word and software; what is complete is copied to where a controller serves it."""
    named = (("anchor.json", anchor), (TARGET, word))
    new = [NewTarget(path, file.read_bytes()) for path, file in named if file is not None]
    new += [_software(one) for one in software]
    repository = RootDirectory(directory, wall=now())
    if new or remove:
        repository.offer(new, removed=remove)
    _tell(repository.advance(_Table(sign_with).signers()))
    if to is not None:
        repository.copy_to(to)
        console.print(_("What is published was copied to %(path)s.") % {"path": to})


def _software(text: str) -> NewTarget:
    product, version, platform, file = (*text.split(":", 3), "", "", "")[:4]
    if product not in ("agent", "guardian", "signer") or not file:
        raise ProvisioningError(_("%(text)s is not written as PRODUCT:VERSION:PLATFORM:FILE.") % {"text": text})
    custom = {"version": version, "platform": platform or "any"}
    return NewTarget(f"software/{product}/{Path(file).name}", Path(file).read_bytes(), custom)


@app.command("word")
@explained
def root_word(
    *,
    deny: Annotated[list[str], typer.Option(help="SCOPE=HOLDER=EPOCH, such as vn/92=anchor=3")] = [],  # noqa: B006
    floor: Annotated[datetime | None, typer.Option(help="puts clocks' floor here, also backwards")] = None,
    out: Path = Path(TARGET),
    directory: Directory = _ROOT,
) -> None:
    """Writes the root's next word: denied epochs, and once a floor for clocks that ran ahead."""
    former = RootDirectory(directory, wall=now()).target(TARGET)
    wall = None if floor is None else WallMs(round(floor.replace(tzinfo=LOCAL_ZONE).timestamp() * 1000))
    made = next_word(former, denied=[read_denied(one) for one in deny], floor=wall)
    write_durably(out, codec.encode(made), mode=0o644)
    console.print(
        _("The root's word number %(version)s was written to %(path)s.") % {"version": made.version, "path": out}
    )


@app.command("renew")
@explained
def root_renew(*, sign_with: SignWith, to: Path | None = None, directory: Directory = _ROOT) -> None:
    """Gives snapshot and timestamp a new life of 92 days."""
    repository = RootDirectory(directory, wall=now())
    repository.renew()
    _tell(repository.advance(_Table(sign_with).signers()))
    if to is not None:
        repository.copy_to(to)


@app.command("status")
@explained
def root_status(*, directory: Directory = _ROOT) -> None:
    """Shows until when everything is believed, and what waits for signatures."""
    repository, wall = RootDirectory(directory, wall=now()), now()
    table = Table(_("role"), _("version"), _("until"), _("days left"), "")
    over = False
    for role in ROLES:
        made = repository.published(role)
        if made is not None:
            days = days_left(made, wall)
            over = over or days < 0
            table.add_row(role, str(made.signed.version), ends_on(made), str(days), escape(warning(days)))
    waiting = repository.waiting()
    if not table.rows and not waiting:
        raise ProvisioningError(_("There is no root in %(path)s.") % {"path": directory})
    console.print(table)
    _tell(waiting)
    if over:
        raise ProvisioningError(_("Something has ended; devices take nothing new until it is renewed."))


def _tell(waiting: tuple[Waiting, ...]) -> None:
    for one in waiting:
        words = _("%(role)s still waits for signatures (%(missing)s): %(path)s")
        if not one.missing:
            words = _("%(role)s has enough signatures; publish it with: root collect %(path)s")
        values = {"role": one.role, "missing": one.missing, "path": one.file}
        console.print(words % values, markup=False, soft_wrap=True)
    if not waiting:
        console.print(_("Everything is signed and published."))
