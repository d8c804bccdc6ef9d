"""Words of the transparency log."""

from __future__ import annotations

from typing import Final

from controller.signing.wording import KINDS as SIGNED_KINDS
from controller.transparency.domain import Finding, Soundness
from controller.web.i18n import N_, gettext

AREA: Final = N_("Transparency log")
DONE: Final = {
    "transparency.unlogged": N_("noticed that a loudspeaker obeyed a document that was never logged"),
    "transparency.close": N_("closed a report of a document that was never logged"),
    "transparency.unsound": N_("noticed that the transparency log is not what was signed"),
    "transparency.begin_again": N_("let the transparency log go on from what is there"),
}
_KINDS: Final[dict[str, str]] = {
    "assignment": N_("Assignment of loudspeakers"),
    "denial": N_("Denial of grants"),
    **{kind.value: text for kind, text in SIGNED_KINDS.items()},
}
_FOUND: Final = {
    Soundness.ALTERED: N_(
        "Entry %(index)d does not fit: somebody changed or deleted a row of the log in the database. Nothing is "
        "signed for this log any more. Keep a copy of the data directory as evidence, find out who could write to "
        "it, and put the database back from a backup."
    ),
    Soundness.SHORTER: N_(
        "The log has %(size)d entries, but %(promised)d were signed for. Either the database was put back from an "
        "older backup, or somebody deleted entries. Until a technician of the province says that it is known why, "
        "nothing more is signed."
    ),
    Soundness.ANOTHER: N_(
        "The log is not the one that was signed for: its entries were replaced. Either another database was put in "
        "place, or somebody wrote the log anew. Until a technician of the province says that it is known why, "
        "nothing more is signed."
    ),
}


def kind_name(kind: str) -> str:
    """`Khẩn cấp`; a kind nobody named is a document."""
    text = _KINDS.get(kind)
    return gettext(text) if text else gettext(N_("Document"))


def finding_words(finding: Finding) -> str:
    """What is wrong with the log, and what to do."""
    values = {"index": finding.index or 0, "size": finding.state.size, "promised": finding.promised}
    return gettext(_FOUND[finding.soundness]) % values
