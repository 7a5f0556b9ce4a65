"""What is to be told to others, in the book.

Of webhooks a row for each event and receiver, kept until it was told or is dead; of availability what was told last.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from backend.book.schema import Big, metadata

webhook_mark = Table(
    "webhook_mark",
    metadata,
    Column("webhook", String(64), primary_key=True),
    Column("event_n", Big, nullable=False, comment="events up to it are in webhook_delivery, if it wants them"),
)
webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("n", Big, primary_key=True),
    Column("webhook", String(64), nullable=False),
    Column("event_n", Big, nullable=False),
    Column("id", String(36), nullable=False, comment="webhook-id: the same over all tries"),
    Column("kind", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False, comment="JSON as it is sent"),
    Column("made_at", Big, nullable=False),
    Column("state", String(16), nullable=False, comment="waiting, delivered, dead"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", Big, nullable=False, comment="when it is tried next"),
    Column("done_at", Big),
    Column("status", Integer, comment="of the last answer"),
    Column("problem", Text, comment="of the last try"),
    UniqueConstraint("webhook", "event_n"),
    Index("ix_webhook_delivery_due", "webhook", "state", "due_at"),
    sqlite_autoincrement=True,
)
availability = Table(
    "availability",
    metadata,
    Column("sku", String(64), primary_key=True),
    Column("location", String(64), primary_key=True, comment="empty: in all"),
    Column("on_hand", Text, nullable=False),
    Column("available", Text, nullable=False),
    Column("told_at", Big, nullable=False),
)
