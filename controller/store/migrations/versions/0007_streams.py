"""Bulletins that relay a web radio: its address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; what is stored relays no web radio."""
    op.add_column("bulletins", sa.Column("stream_address", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drops it."""
    with op.batch_alter_table("bulletins") as table:
        table.drop_column("stream_address")
