"""The transparency log, which the database refuses to change, and what was obeyed without being in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WORDS = "the transparency log is only ever extended"


def upgrade() -> None:
    """Creates the tables and the triggers."""
    _add_log_entries()
    _add_unlogged()
    if op.get_context().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Drops them; triggers go with their table."""
    op.drop_table("unlogged")
    op.drop_table("log_entries")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION log_entries_stay()")


def _add_log_entries() -> None:
    op.create_table(
        "log_entries",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False, comment="from 0 without a gap"),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("stored_ms", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False, comment="hash of the entry before: two cannot follow one"),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_log_entries")),
        sa.UniqueConstraint("digest", name=op.f("uq_log_entries_digest")),
        sa.UniqueConstraint("previous", name=op.f("uq_log_entries_previous")),
    )
    op.create_index(op.f("ix_log_entries_scope"), "log_entries", ["scope"], unique=False)


def _add_unlogged() -> None:
    op.create_table(
        "unlogged",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="empty when the device did not say"),
        sa.Column("place", sa.Text(), nullable=False, comment="where the device was"),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False, comment="when it obeyed, by its own clock"),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False, comment="when its word came"),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True, comment="what it was, in the words of whoever looked into it"),
        sa.ForeignKeyConstraint(["closed_by"], ["accounts.id"], name=op.f("fk_unlogged_closed_by")),
        sa.PrimaryKeyConstraint("device", "document", name=op.f("pk_unlogged")),
    )
    op.create_index(op.f("ix_unlogged_place"), "unlogged", ["place"], unique=False)


def _guard_sqlite() -> None:
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER log_entries_no_{act.lower()} BEFORE {act} ON log_entries "
            f"BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
        )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION log_entries_stay() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_WORDS}'; END $$"
    )
    for when in ("BEFORE UPDATE OR DELETE ON log_entries FOR EACH ROW", "BEFORE TRUNCATE ON log_entries"):
        name = "log_entries_no_truncate" if "TRUNCATE" in when else "log_entries_no_change"
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION log_entries_stay()")
