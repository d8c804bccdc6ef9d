"""The certificate that a device connects with, and signs of a second box with its identity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns; SQLite makes the table anew for it."""
    with op.batch_alter_table("devices") as table:
        table.add_column(
            sa.Column(
                "certificate",
                sa.Text(),
                nullable=True,
                comment="SHA-256 of the certificate that the device connects with",
            )
        )
        table.add_column(sa.Column("certified_ms", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("revoked_ms", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("clone_sign", sa.Text(), nullable=True))
        table.add_column(sa.Column("clone_ms", sa.BigInteger(), nullable=True))
        table.create_unique_constraint(op.f("uq_devices_certificate"), ["certificate"])


def downgrade() -> None:
    """Drops them."""
    with op.batch_alter_table("devices") as table:
        table.drop_constraint(op.f("uq_devices_certificate"), type_="unique")
        for name in ("clone_ms", "clone_sign", "revoked_ms", "certified_ms", "certificate"):
            table.drop_column(name)
