"""Limits a query to the scopes of whoever asks, segment by segment: `vn/9` does not cover `vn/92`."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.schema import Column

from protocol.units import UnitPath


def within(column: Column[str] | ColumnClause[str], scopes: Iterable[UnitPath]) -> ColumnElement[bool]:
    """Rows whose place is one of the scopes or lies below one; without scopes, none.

    `0` is the character after `/`, so `scope + "/" <= place < scope + "0"` is "below", and an index serves it.
    """
    parts = [or_(column == scope, (column >= scope + "/") & (column < scope + "0")) for scope in scopes]
    return or_(*parts) if parts else false()
