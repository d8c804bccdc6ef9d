"""What a grant or a denial says: who may do what, where, until when, and what changes by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial, grantor_id
from protocol.grants import Grant, HeldGrant, chain
from protocol.keys import key_id
from signer import wording
from signer.i18n import gettext as _
from signer.i18n import ngettext
from signer.known import Known
from signer.places import Places, Reach

LIFE_MS_USUAL = 90 * DAY_MS
"""An operator's grant lives no longer (trust.md)."""
Names = Mapping[str, str]
"""People whose key the signer knows, by key id."""


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key of a grant; the name is empty when nobody here knows whose it is."""

    key_id: str
    name: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class GrantSheet:
    """A grant in words.

    Attributes:
        renewal: it replaces an earlier grant of the same office.
        changes: what differs from that one, as sentences; empty when only the dates do.
        warnings: what a careful reader asks about.
    """

    holder: str
    unit: str
    renewal: bool
    serial: int
    verbs: tuple[tuple[str, str], ...]
    keys: tuple[KeyLine, ...]
    threshold: str
    passes_on: str
    begins: str
    ends: str
    given_by: str
    changes: tuple[str, ...]
    warnings: tuple[str, ...]
    reach: Reach


def grant_sheet(grant: Grant, *, known: Known, places: Places, names: Names, now: WallMs) -> GrantSheet:
    """Puts a grant into words, beside the one it replaces."""
    above, former = known.held(grant.parent), former_grant(grant, known)
    return GrantSheet(
        holder=grant.holder,
        unit=places.name(grant.scope),
        renewal=former is not None,
        serial=grant.serial,
        verbs=_verbs(grant, former),
        keys=_keys(grant, former, names),
        threshold=ngettext("%(n)d of %(all)d signature", "%(n)d of %(all)d signatures", grant.threshold)
        % {"n": grant.threshold, "all": len(grant.keys)},
        passes_on=_("no")
        if not grant.depth
        else ngettext("%(n)d level", "%(n)d levels", grant.depth) % {"n": grant.depth},
        begins=wording.moment(grant.not_before),
        ends=wording.moment(grant.expires),
        given_by=_office(above, places) if above else _("an office that this machine does not know"),
        changes=_changes(grant, former) if former else (),
        warnings=tuple(_warnings(grant, above, known, now)),
        reach=places.reach([grant.scope]),
    )


def former_grant(grant: Grant, known: Known) -> Grant | None:
    """The newest grant of the same office that is older."""
    above = known.held(grant.parent)
    grantor = grantor_id(above.grant.scope, above.grant.holder) if above else ""
    office = HeldGrant("", grant, grantor).office
    found = [one.grant for one in known.grants.values() if one.office == office and one.grant.serial < grant.serial]
    return max(found, key=lambda one: one.serial, default=None)


def _office(held: HeldGrant, places: Places) -> str:
    if not held.grantor:
        return _("the keys of the anchor of %(unit)s") % {"unit": places.name(held.grant.scope)}
    return f"{held.grant.holder} ({places.name(held.grant.scope)})"


def _verbs(grant: Grant, former: Grant | None) -> tuple[tuple[str, str], ...]:
    """What is allowed, what newly so, and what no longer."""
    before = set(former.verbs) if former else set(grant.verbs)
    now = [(wording.verb_words(verb), "" if verb in before else "new") for verb in dict.fromkeys(grant.verbs)]
    gone = [
        (wording.verb_words(verb), "removed") for verb in (former.verbs if former else ()) if verb not in grant.verbs
    ]
    return (*now, *gone)


def _keys(grant: Grant, former: Grant | None, names: Names) -> tuple[KeyLine, ...]:
    before = set(former.keys) if former else set(grant.keys)
    now = [KeyLine(key_id(key), names.get(key_id(key), ""), "" if key in before else "new") for key in grant.keys]
    left = (key for key in (former.keys if former else ()) if key not in grant.keys)
    return (*now, *(KeyLine(key_id(key), names.get(key_id(key), ""), "removed") for key in left))


def _changes(grant: Grant, former: Grant) -> tuple[str, ...]:
    said = []
    longer = (grant.expires - former.expires) // DAY_MS
    if longer > 0:
        said.append(ngettext("ends %(n)d day later", "ends %(n)d days later", longer) % {"n": longer})
    if longer < 0:
        said.append(ngettext("ends %(n)d day earlier", "ends %(n)d days earlier", -longer) % {"n": -longer})
    if grant.threshold != former.threshold:
        words = _("%(now)d signatures are needed, before %(then)d")
        said.append(words % {"now": grant.threshold, "then": former.threshold})
    if grant.depth != former.depth:
        said.append(_("it may be passed on differently than before"))
    if set(grant.verbs) != set(former.verbs):
        said.append(_("what may be done changes"))
    if set(grant.keys) != set(former.keys):
        said.append(_("the people change"))
    return tuple(said)


def _warnings(grant: Grant, above: HeldGrant | None, known: Known, now: WallMs) -> Iterable[str]:
    if above is not None:
        denied = known.denied.get(grantor_id(above.grant.scope, above.grant.holder), 0)
        if grant.epoch < denied:
            yield _("Its giver took back all grants of this epoch: the loudspeakers would refuse it.")
    if grant.depth == 0 and grant.expires - grant.not_before > LIFE_MS_USUAL:
        yield _("It lives longer than the usual 90 days.")
    if grant.not_before > now + DAY_MS:
        yield _("It does not begin before %(when)s.") % {"when": wording.moment(grant.not_before)}
    if grant.threshold == 1 and len(grant.keys) > 1:
        yield _("Each of these people can act alone.")


@dataclass(frozen=True, slots=True)
class EndedGrant:
    """A grant that ends by a denial; `below` when it was given under one that does."""

    holder: str
    unit: str
    verbs: str
    ends: str
    below: bool


@dataclass(frozen=True, slots=True)
class DenialSheet:
    """A denial in words."""

    grantor: str
    unit: str
    epoch: int
    before: int
    ended: tuple[EndedGrant, ...]
    stays: tuple[str, ...]
    reach: Reach


def denial_sheet(denial: Denial, *, known: Known, places: Places, now: WallMs) -> DenialSheet:
    """Puts a denial into words: which grants end, by name."""
    standing = [held for held in known.grants.values() if known.objection(held, now) is None]
    ended = [held for held in standing if _ends(held, denial, known)]
    stays = (held.grant.holder for held in standing if held.grantor == denial.grantor and held not in ended)
    return DenialSheet(
        grantor=_("the keys of the anchor") if denial.holder == "anchor" else denial.holder,
        unit=places.name(denial.scope),
        epoch=denial.epoch,
        before=known.denied.get(denial.grantor, 0),
        ended=tuple(_ended(held, denial, places) for held in ended),
        stays=tuple(sorted({*stays})),
        reach=places.reach(held.grant.scope for held in ended),
    )


def _ends(held: HeldGrant, denial: Denial, known: Known) -> bool:
    links = chain(held, known.grants) or ()
    return any(link.grantor == denial.grantor and link.grant.epoch < denial.epoch for link in links)


def _ended(held: HeldGrant, denial: Denial, places: Places) -> EndedGrant:
    return EndedGrant(
        holder=held.grant.holder,
        unit=places.name(held.grant.scope),
        verbs=", ".join(wording.verb_words(verb) for verb in held.grant.verbs),
        ends=wording.moment(held.grant.expires),
        below=held.grantor != denial.grantor,
    )
