"""`replace` for the frozen states of the core: the same as the standard library's, at a third of its price.

An emergency changes the state some thirty times on its way to the horn, and the library's `replace` looks at every
field's description each time. Only for dataclasses that check nothing when they are made. The few with many fields
that change at every event have no slots: their fields are copied as one dictionary, at a third of the price again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Slots:
    """How all fields of a class are read, and how each is written.

    Attributes:
        count: of the fields.
        whole: they are kept in a dictionary, not in slots.
    """

    count: int
    whole: bool
    read: Callable[[Any], tuple[Any, ...]]
    write: tuple[Callable[[Any, Any], None], ...]
    named: dict[str, Callable[[Any, Any], None]]


@cache
def _slots_of(kind: Hashable) -> _Slots:
    assert isinstance(kind, type) and not hasattr(kind, "__post_init__"), "its fields do not check each other"
    names = [one.name for one in fields(kind)]
    get = attrgetter(*names)
    if "__slots__" not in vars(kind):
        return _Slots(len(names), True, get, (), {})
    named = {name: getattr(kind, name).__set__ for name in names}
    return _Slots(len(names), False, get if len(names) > 1 else lambda one: (get(one),), tuple(named.values()), named)


def replace(state: T, **changes: Any) -> T:
    """A copy with some fields changed.

    Raises:
        KeyError: there is no such field.
    """
    slots = _slots_of(cast(Hashable, type(state)))
    made = object.__new__(type(state))
    if slots.whole:
        kept = made.__dict__
        kept.update(state.__dict__)
        kept.update(changes)
        if len(kept) != slots.count:
            raise KeyError(*changes.keys() - state.__dict__.keys())
        return made
    for put, value in zip(slots.write, slots.read(state), strict=True):
        put(made, value)
    for name, value in changes.items():
        slots.named[name](made, value)
    return made
