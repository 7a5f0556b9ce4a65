"""Twelfth revision: webhooks, and what was told of availability."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

revision, down_revision = "r0012", "r0011"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

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


def upgrade() -> None:
    """The tables of what others are told."""
    metadata.create_all(op.get_bind())
