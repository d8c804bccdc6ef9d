"""Standings: the kind of the document in the device's words, for documents that this controller does not hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; of what was told before it is not known."""
    op.add_column("standings", sa.Column("kind", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drops it."""
    with op.batch_alter_table("standings") as table:
        table.drop_column("kind")
