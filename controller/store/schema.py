"""Every table of the controller, in one MetaData.

Times are milliseconds since the epoch and end in `_ms`. Columns that end in `_json` hold JSON text, written and read
by the capability that owns them. Places are unit paths, compared segment by segment (`controller.store.scope`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from controller.store.evidence import log_entries, unlogged
from controller.store.naming import metadata

__all__ = ["log_entries", "metadata", "unlogged"]

# Units and people.

units = Table(
    "units",
    metadata,
    Column("path", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("label", Text, nullable=False, comment="what it is called: Tỉnh, Thành phố, Phường, Xã, Ấp"),
    Column("population", Integer),
    Column("households", Integer),
    Column("valid_from", Text, nullable=False, comment="local date"),
    Column("valid_until", Text, comment="local date, first day it is no more"),
    Column("merged_into", Text, comment="path of the unit that took it in, or that it moved to"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("language", Text, nullable=False, server_default="vi"),
    Column("active", Boolean, nullable=False, default=True),
    Column("created_ms", BigInteger, nullable=False),
)

roles = Table(
    "roles",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("ok", Boolean, nullable=False),
    Index("ix_login_attempts_at_ms", "at_ms"),
)

once_keys = Table(
    "once_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("result", Text, nullable=False),
)

# Sound and bulletins.

media = Table(
    "media",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("unit", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("origin", Text, nullable=False, comment="upload or speech"),
    Column("text", Text),
    Column("language", Text),
    Column("size_bytes", BigInteger, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("loudness_in_cdb", Integer),
    Column("loudness_out_cdb", Integer),
    Column("peak_out_cdb", Integer),
    Column("waveform", LargeBinary, comment="JSON"),
    Column("source_name", Text),
    Column("created_by", ForeignKey("accounts.id"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

bulletins = Table(
    "bulletins",
    metadata,
    Column("id", Text, primary_key=True),
    Column("unit", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("bulletin_class", Text, nullable=False),
    Column("content_kind", Text, nullable=False, comment="programme, relay or stream"),
    Column("media_digest", ForeignKey("media.digest")),
    Column("frequency_khz", Integer),
    Column("relay_ms", Integer),
    Column("stream_address", Text),
    Column("when_json", Text, nullable=False),
    Column("targets_json", Text, nullable=False),
    Column("catch_up", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column(
        "revision", Integer, nullable=False, default=1, comment="grows with each edit; an edit names the one it saw"
    ),
    Column("author_id", ForeignKey("accounts.id"), nullable=False),
    Column("approved_by", ForeignKey("accounts.id")),
    Column("reason", Text),
    Column("offered_from", Text),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("submitted_ms", BigInteger),
    Column("approved_ms", BigInteger),
    Column("withdrawn_ms", BigInteger),
)

precedences = Table(
    "precedences",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("names_json", Text, nullable=False, comment="JSON list of scope#id, first goes first"),
    Column("changed_ms", BigInteger, nullable=False),
    Column("changed_by", ForeignKey("accounts.id"), nullable=False),
)

# Signed documents and alerts.

documents = Table(
    "documents",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", BigInteger),
    Column("sequence", BigInteger),
    Column("state", Text, nullable=False, comment="partial, prepared, in_force, superseded, ended or refused"),
    Column("envelope", LargeBinary, nullable=False),
    Column("holder", Text, nullable=False),
    Column("signers_json", Text, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("stored_ms", BigInteger, nullable=False),
    Column("published_ms", BigInteger, comment="when the broker took it; empty while it waits"),
    Index("ix_documents_scope_kind_state", "scope", "kind", "state"),
)

counters = Table(
    "counters",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("scope", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False, index=True),
    Column("cancel_digest", Text),
    Column("targets_json", Text, nullable=False),
    Column("parts_json", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("state", Text, nullable=False, comment="drafted, partial, sent, cancelled or ended"),
    Column("created_by", ForeignKey("accounts.id"), comment="empty when it was signed elsewhere"),
    Column("created_ms", BigInteger, nullable=False),
    Column("sent_ms", BigInteger),
    Column("cancelled_ms", BigInteger),
    Column("cancelled_by", ForeignKey("accounts.id")),
)

# Devices and what they tell. A device is named by its id without a foreign key: a report may come before enrolment.

devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("place", Text, nullable=False, unique=True),
    Column("former_place", Text, comment="where it was, until it says that it follows its signed word"),
    Column("word", Text, comment="digest of the newest assignment that names it"),
    Column("word_ms", BigInteger, comment="date of that assignment"),
    Column("name", Text, nullable=False),
    Column("token_hash", Text, nullable=False, index=True, comment="empty: no token opens anything"),
    Column("certificate", Text, unique=True, comment="SHA-256 of the certificate that the device connects with"),
    Column("certified_ms", BigInteger, comment="when the certificate was registered"),
    Column("revoked_ms", BigInteger, comment="when certificate and token were taken away; empty after a new one"),
    Column("clone_sign", Text, comment="why a second box is thought to use this identity"),
    Column("clone_ms", BigInteger, comment="when that was last seen"),
    Column("enrolled_ms", BigInteger, nullable=False),
    Column("online", Boolean, nullable=False, default=False),
    Column("seen_ms", BigInteger),
    Column("status_json", Text),
    Column("lat", Float),
    Column("lon", Float),
)

standings = Table(
    "standings",
    metadata,
    Column("device", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("item", Text, primary_key=True, comment="empty when the whole document is meant"),
    Column("kind", Text, comment="of the document, as the device told it"),
    Column("standing", Text, nullable=False),
    Column("refusal", Text),
    Column("detail", Text),
    Column("wall_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Index("ix_standings_document_item", "document", "item"),
)

refusals = Table(
    "refusals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Text, nullable=False, index=True),
    Column("document", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("refusal", Text, nullable=False),
    Column("detail", Text),
    Column("wall_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
)

as_run = Table(
    "as_run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("rung", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("began_ms", BigInteger, nullable=False, index=True),
    Column("ended_ms", BigInteger, nullable=False),
    Column("end_reason", Text, nullable=False),
    Column("level_cdb", Integer, nullable=False),
    Column("output_level_cdb", Integer),
    Column("document", Text),
    Column("item", Text),
    Column("start_ms", BigInteger),
    Column("lost_ms", BigInteger, nullable=False, default=0),
    Column("stopped_by", Text),
    Index("ix_as_run_device_began_ms", "device", "began_ms"),
)

faults = Table(
    "faults",
    metadata,
    Column("device", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("began_ms", BigInteger, primary_key=True),
    Column("detail", Text, nullable=False, server_default=""),
    Column("ended_ms", BigInteger),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("account_id", ForeignKey("accounts.id")),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="a unit path, or an id under one: path#id"),
    Column("detail", Text, nullable=False, server_default=""),
)
