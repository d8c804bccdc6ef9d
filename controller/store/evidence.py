"""Tables of the transparency log: what was distributed, and what was obeyed without having been.

The database itself refuses to change or delete a row of the log (migration 0005); who takes the trigger away is found
out by the chain, and who makes a new chain by those who remember a checkpoint.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from controller.store.naming import metadata

log_entries = Table(
    "log_entries",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False, comment="from 0 without a gap"),
    Column("digest", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False, index=True),
    Column("stored_ms", BigInteger, nullable=False),
    Column("previous", Text, nullable=False, unique=True, comment="hash of the entry before: two cannot follow one"),
    Column("hash", Text, nullable=False),
)

unlogged = Table(
    "unlogged",
    metadata,
    Column("device", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("kind", Text, nullable=False, comment="empty when the device did not say"),
    Column("place", Text, nullable=False, index=True, comment="where the device was"),
    Column("wall_ms", BigInteger, nullable=False, comment="when it obeyed, by its own clock"),
    Column("seen_ms", BigInteger, nullable=False, comment="when its word came"),
    Column("closed_ms", BigInteger),
    Column("closed_by", ForeignKey("accounts.id")),
    Column("reason", Text, comment="what it was, in the words of whoever looked into it"),
)
