"""Where a device was before its signed word moved it, and which word that was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns; what is enrolled waits for its first word."""
    op.add_column(
        "devices",
        sa.Column(
            "former_place",
            sa.Text(),
            nullable=True,
            comment="where it was, until it says that it follows its signed word",
        ),
    )
    op.add_column(
        "devices",
        sa.Column("word", sa.Text(), nullable=True, comment="digest of the newest assignment that names it"),
    )
    op.add_column("devices", sa.Column("word_ms", sa.BigInteger(), nullable=True, comment="date of that assignment"))


def downgrade() -> None:
    """Drops them."""
    with op.batch_alter_table("devices") as table:
        for name in ("word_ms", "word", "former_place"):
            table.drop_column(name)
