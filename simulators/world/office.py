"""The offices of a province: who holds which key, and what they sign. Everything signed is known here for ever.

The oracle of all that may sound: a sound whose document this list does not hold was ordered by nobody. The tree is
that of trust.md: the anchor appoints the province's operators and each commune's chair; the chair appoints the
commune's operator, renews and denies. Stands for the signers of the province and for the ceremony before them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial
from protocol.document import Kind, OperatorDocument
from protocol.envelope import Envelope, sign
from protocol.grants import ANCHOR_ID, Anchor, Grant
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from simulators.world.chance import Chance
from simulators.world.clock import DAWN

PROVINCE: Final = UnitPath("vn/92")
IN_COMMUNE: Final = 5
OPERATOR: Final = "operator"
CHAIR: Final = "chair"
WIDE: Final = "wide"
PLACING: Final = "placing"
ROOTS: Final = ("root 0", "root 1")
VERBS: Final = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.ALERT, Verb.STOP)
_LIFE_MS: Final = 300 * DAY_MS


@dataclass(frozen=True, slots=True)
class Signed:
    """Something an office signed.

    Attributes:
        at: true time of the signature, whatever the document says of itself.
        by: names of the keys.
        under: digest of the grant that allows it; `anchor` when no grant is needed.
        stolen: a thief signed it with a true key.
    """

    kind: Kind
    document: OperatorDocument | Grant
    envelope: Envelope
    at: WallMs
    by: tuple[str, ...] = ()
    under: str = ANCHOR_ID
    stolen: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """An office as it stands now.

    Attributes:
        keys: names of the keys; the first `threshold` of them sign.
        grant: its newest grant.
        above: the post that appoints it; None when the anchor does.
    """

    scope: UnitPath
    holder: str
    keys: tuple[str, ...]
    threshold: int
    grant: Signed
    above: str | None

    @property
    def signers(self) -> tuple[str, ...]:
        """Those who sign."""
        return self.keys[: self.threshold]

    @property
    def digest(self) -> str:
        """Of the grant."""
        return self.grant.envelope.digest


@dataclass(slots=True)
class Offices:
    """All keys of the province, made from the seed.

    Attributes:
        signed: by the digest that devices tell.
        replaced: digest of a schedule, rules or grant, and of what has replaced it.
        fallen: digests of grants that a denial has ended, and when it was signed.
        places: where each device that was moved belongs.
        spoken: segments signed for each live session.
        denials: by the unit whose chair denied last.
    """

    chance: Chance
    signed: dict[str, Signed] = field(default_factory=dict)
    posts: dict[tuple[UnitPath, str], Post] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    fallen: dict[str, WallMs] = field(default_factory=dict)
    places: dict[str, UnitPath] = field(default_factory=dict)
    spoken: dict[str, int] = field(default_factory=dict)
    denials: dict[UnitPath, Signed] = field(default_factory=dict)
    _keys: dict[str, SigningKey] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _newest: dict[str, str] = field(default_factory=dict)

    def key(self, name: str) -> SigningKey:
        """The key of that name, the same in every run of the seed."""
        if name not in self._keys:
            seed = hashlib.sha256(f"{self.chance.seed}/{name}".encode()).digest()
            self._keys[name] = SigningKey.from_seed(seed)
        return self._keys[name]

    @property
    def freshness(self) -> SigningKey:
        """The controller's own."""
        return self.key("freshness")

    @property
    def anchor(self) -> Anchor:
        """What every device was given at enrolment."""
        keys = tuple(self.key(f"root {number}").public for number in range(3))
        return Anchor(PROVINCE, keys, 2, (self.freshness.public,))

    def next(self, counter: str) -> int:
        """Numbers that only grow, from 1: versions, sequences, serials, each counter by itself."""
        self._numbers[counter] = self._numbers.get(counter, 0) + 1
        return self._numbers[counter]

    # Who may speak.

    def establish(self, units: Iterable[UnitPath]) -> list[Signed]:
        """The grants of the first day, parents first."""
        daily = tuple(
            one for one in VERBS if one is not Verb.ALERT
        )  # thresholds follow reach: see docs/key_ceremony.md
        made = [
            self.appoint(PROVINCE, OPERATOR, daily, at=DAWN),
            self.appoint(PROVINCE, WIDE, (Verb.ALERT, Verb.ALERT_WIDE), at=DAWN, threshold=2),
            self.appoint(PROVINCE, PLACING, (Verb.ASSIGN,), at=DAWN),
        ]
        for unit in units:
            made.append(self.appoint(unit, CHAIR, (*VERBS, Verb.GRANT), at=DAWN, depth=1))
            made.append(self.appoint(unit, OPERATOR, VERBS, at=DAWN, above=CHAIR))
        return made

    def appoint(
        self,
        scope: UnitPath,
        holder: str,
        verbs: tuple[Verb, ...],
        *,
        at: WallMs,
        threshold: int = 1,
        depth: int = 0,
        above: str | None = None,
        keys: tuple[str, ...] = (),
        epoch: int = 0,
        life_ms: int = _LIFE_MS,
    ) -> Signed:
        """A grant for an office, new or renewed: the newest serial speaks."""
        count = 1 if threshold == 1 else threshold + 1
        names = keys or tuple(f"{scope}/{holder}" + (f" {one}" if count > 1 else "") for one in range(count))
        parent = self.posts[scope, above] if above is not None else None
        began = WallMs(DAWN - DAY_MS)
        grant = Grant(
            scope=scope,
            holder=holder,
            verbs=verbs,
            keys=tuple(self.key(one).public for one in names),
            threshold=threshold,
            depth=depth,
            not_before=began,
            expires=WallMs(min(at + life_ms, DAWN + _LIFE_MS - (0 if parent is None else DAY_MS))),
            epoch=epoch,
            serial=self.next(f"serial {scope}/{holder}"),
            parent=ANCHOR_ID if parent is None else parent.digest,
        )
        signers = ROOTS if parent is None else parent.signers
        under = ANCHOR_ID if parent is None else parent.digest
        made = self.sign(Kind.GRANT, grant, *signers, at=at, under=under)
        self.posts[scope, holder] = Post(scope, holder, names, threshold, made, above)
        return made

    def renew(
        self, scope: UnitPath, *, at: WallMs, key: str = "", epoch: int | None = None, life_ms: int = _LIFE_MS
    ) -> Signed:
        """The commune's operator for another while, with the same key or with a new one."""
        post = self.posts[scope, OPERATOR]
        former = post.grant.document
        assert isinstance(former, Grant), "a post has a grant"
        keys, epoch = ((key,) if key else post.keys), former.epoch if epoch is None else epoch
        return self.appoint(scope, OPERATOR, VERBS, at=at, above=post.above, keys=keys, epoch=epoch, life_ms=life_ms)

    def deny(self, scope: UnitPath, epoch: int, *, at: WallMs) -> Signed:
        """The commune's chair takes back all that it gave before this epoch."""
        post = self.posts[scope, CHAIR]
        made = self.sign(Kind.DENIAL, Denial(scope, CHAIR, epoch, at), *post.signers, at=at, under=post.digest)
        self.denials[scope] = made
        for digest, one in self.signed.items():
            grant = one.document
            if isinstance(grant, Grant) and one.under == post.digest and grant.epoch < epoch:
                self.fallen.setdefault(digest, at)
        return made

    # What they say.

    def sign(
        self,
        kind: Kind,
        document: OperatorDocument | Grant,
        *keys: str,
        at: WallMs,
        under: str = ANCHOR_ID,
        stolen: bool = False,
    ) -> Signed:
        """Signs, and remembers for ever."""
        envelope = sign(kind, codec.encode(document), [self.key(one) for one in keys])
        made = Signed(kind, document, envelope, at, keys, under, stolen)
        self.signed[envelope.digest] = made
        if kind in (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG, Kind.GRANT) and not stolen:
            self._follow(made)
        return made

    def _follow(self, made: Signed) -> None:
        subject = f"{made.kind}/{made.document.scope}/{getattr(made.document, 'holder', '')}"
        if subject in self._newest:
            self.replaced[self._newest[subject]] = made.envelope.digest
        self._newest[subject] = made.envelope.digest

    def issue(
        self, kind: Kind, document: OperatorDocument, *, at: WallMs, holder: str = OPERATOR, stolen: bool = False
    ) -> Signed:
        """Signed by the office of the document's own unit, with the keys it has now."""
        post = self.posts[document.scope, holder]
        return self.sign(kind, document, *post.signers, at=at, under=post.digest, stolen=stolen)


def unit_of(name: str) -> UnitPath:
    """The commune in which a device was enrolled."""
    return UnitPath(f"{PROVINCE}/{31000 + int(name[1:]) // IN_COMMUNE}")


def units_of(names: Iterable[str]) -> tuple[UnitPath, ...]:
    """All communes of these devices, in order."""
    return tuple(dict.fromkeys(unit_of(one) for one in names))
