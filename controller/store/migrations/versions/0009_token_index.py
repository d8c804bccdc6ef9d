"""Devices are found by their token: 10,000 that come back at once must not read the whole table each."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the index."""
    op.create_index("ix_devices_token_hash", "devices", ["token_hash"])


def downgrade() -> None:
    """Drops it."""
    op.drop_index("ix_devices_token_hash", "devices")
