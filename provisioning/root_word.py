"""The root's word: which epochs are denied, and where a clock's floor begins anew."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.clock import WallMs
from protocol.denial import Denied, RootWord, read_root_word
from protocol.units import unit_path
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _

TARGET = "root-word.json"


def next_word(former: bytes | None, *, denied: Iterable[Denied], floor: WallMs | None) -> RootWord:
    """The word after the former one: what was denied stays so, and no epoch falls.

    The floor is said once only; said again with every later word, it would put clocks back each time.
    """
    before = read_root_word(former) if former is not None else RootWord(0)
    epochs = {one.grantor: one for one in before.denied}
    for one in denied:
        if one.grantor in epochs and one.epoch < epochs[one.grantor].epoch:
            words = _("The epoch of %(holder)s is already %(epoch)s, and epochs never fall.")
            raise ProvisioningError(words % {"holder": one.holder, "epoch": epochs[one.grantor].epoch})
        epochs[one.grantor] = one
    return RootWord(before.version + 1, tuple(epochs[name] for name in sorted(epochs)), floor)


def read_denied(text: str) -> Denied:
    """Reads `vn/92=anchor=3`: grants that the holder of this scope gave below epoch 3.

    Raises:
        ProvisioningError: it is not written like this.
    """
    scope, mark, rest = text.partition("=")
    holder, second, epoch = rest.rpartition("=")
    if not mark or not second or not epoch.isdecimal():
        raise ProvisioningError(_("%(text)s is not written as SCOPE=HOLDER=EPOCH.") % {"text": text})
    return Denied(unit_path(scope), holder, int(epoch))
