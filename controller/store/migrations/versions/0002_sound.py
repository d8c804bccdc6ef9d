"""Sound, bulletins and signed documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    _add_media()
    _add_bulletins()
    _add_precedences()
    _add_documents()
    _add_counters()
    _add_alerts()


def downgrade() -> None:
    """Drops them."""
    op.drop_table("alerts")
    op.drop_table("counters")
    op.drop_table("documents")
    op.drop_table("precedences")
    op.drop_table("bulletins")
    op.drop_table("media")


def _add_media() -> None:
    op.create_table(
        "media",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False, comment="upload or speech"),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("loudness_in_cdb", sa.Integer(), nullable=True),
        sa.Column("loudness_out_cdb", sa.Integer(), nullable=True),
        sa.Column("peak_out_cdb", sa.Integer(), nullable=True),
        sa.Column("waveform", sa.LargeBinary(), nullable=True, comment="JSON"),
        sa.Column("source_name", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["accounts.id"], name=op.f("fk_media_created_by")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_media")),
    )
    op.create_index(op.f("ix_media_unit"), "media", ["unit"], unique=False)


def _add_bulletins() -> None:
    op.create_table(
        "bulletins",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("bulletin_class", sa.Text(), nullable=False),
        sa.Column("content_kind", sa.Text(), nullable=False, comment="programme or relay"),
        sa.Column("media_digest", sa.Text(), nullable=True),
        sa.Column("frequency_khz", sa.Integer(), nullable=True),
        sa.Column("relay_ms", sa.Integer(), nullable=True),
        sa.Column("when_json", sa.Text(), nullable=False),
        sa.Column("targets_json", sa.Text(), nullable=False),
        sa.Column("catch_up", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "revision", sa.Integer(), nullable=False, comment="grows with each edit; an edit names the one it saw"
        ),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("offered_from", sa.Text(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("submitted_ms", sa.BigInteger(), nullable=True),
        sa.Column("approved_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["approved_by"], ["accounts.id"], name=op.f("fk_bulletins_approved_by")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_bulletins_author_id")),
        sa.ForeignKeyConstraint(["media_digest"], ["media.digest"], name=op.f("fk_bulletins_media_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletins")),
    )
    op.create_index(op.f("ix_bulletins_state"), "bulletins", ["state"], unique=False)
    op.create_index(op.f("ix_bulletins_unit"), "bulletins", ["unit"], unique=False)


def _add_precedences() -> None:
    op.create_table(
        "precedences",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("names_json", sa.Text(), nullable=False, comment="JSON list of scope#id, first goes first"),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["accounts.id"], name=op.f("fk_precedences_changed_by")),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_precedences")),
    )


def _add_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="partial, prepared, in_force, superseded, ended or refused"
        ),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("signers_json", sa.Text(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("stored_ms", sa.BigInteger(), nullable=False),
        sa.Column(
            "published_ms", sa.BigInteger(), nullable=True, comment="when the broker took it; empty while it waits"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_documents")),
    )
    op.create_index("ix_documents_scope_kind_state", "documents", ["scope", "kind", "state"], unique=False)


def _add_counters() -> None:
    op.create_table(
        "counters",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_counters")),
    )


def _add_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("cancel_digest", sa.Text(), nullable=True),
        sa.Column("targets_json", sa.Text(), nullable=False),
        sa.Column("parts_json", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="drafted, partial, sent, cancelled or ended"),
        sa.Column("created_by", sa.Integer(), nullable=True, comment="empty when it was signed elsewhere"),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_ms", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["cancelled_by"], ["accounts.id"], name=op.f("fk_alerts_cancelled_by")),
        sa.ForeignKeyConstraint(["created_by"], ["accounts.id"], name=op.f("fk_alerts_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_digest"), "alerts", ["digest"], unique=False)
    op.create_index(op.f("ix_alerts_scope"), "alerts", ["scope"], unique=False)
