"""Ninth revision: reservations with their steps, allocations, write-offs, capitalised spares; frozen as it was then."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

revision, down_revision = "r0009", "r0008"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

reservation = Table(
    "reservation",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("sku", String(64), nullable=False),
    Column("quantity", Text, nullable=False),
    Column("lot", String(64), comment="with a location: of what has no lot if null"),
    Column("location", String(64), comment="null: a demand for the item wherever it is"),
    Column("purpose", String(16), nullable=False, comment="order, pick, work_order, plan"),
    Column("reference", String(64), nullable=False, comment="the order, pick, work order or plan"),
    Column("need_at", Big, nullable=False),
    Column("fulfilled", Text, nullable=False),
    Column("state", String(16), nullable=False, comment="open, fulfilled, cancelled"),
    Column("allocation", String(64), comment="the allocation that made it"),
    Column("actor", String(64), nullable=False),
    Column("made_at", Big, nullable=False),
    Index("ix_reservation_open", "sku", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("ix_reservation_reference", "reference"),
    Index("ix_reservation_allocation", "allocation"),
)
reservation_step = Table(
    "reservation_step",
    metadata,
    Column("n", Big, primary_key=True),
    Column("reservation_id", String(64), nullable=False),
    Column("at", Big, nullable=False),
    Column("what", String(16), nullable=False, comment="made, fulfilled, cancelled"),
    Column("quantity", Text, nullable=False, comment="that it promises more, or less: -5"),
    Column("actor", String(64), nullable=False),
    Column("note", Text),
    Index("ix_reservation_step_reservation_id", "reservation_id"),
)
allocation = Table(
    "allocation",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("asked", LargeBinary, nullable=False, comment="JSON, keys sorted: what a repeat must ask too"),
    Column("answer", LargeBinary, nullable=False, comment="JSON: the picks, and what was short"),
    Column("actor", String(64), nullable=False),
    Column("made_at", Big, nullable=False),
)
write_off = Table(
    "write_off",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("sku", String(64), nullable=False),
    Column("lot", String(64)),
    Column("location", String(64), nullable=False),
    Column("quantity", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(16), nullable=False, comment="requested, approved, rejected"),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", Big, nullable=False),
    Column("decided_by", String(64)),
    Column("decided_at", Big),
    Column("note", Text, comment="what who decided said"),
    Column("movement", String(36), comment="of the ledger, once approved"),
    Index("ix_write_off_sku", "sku"),
)
capitalisation = Table(
    "capitalisation",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asked", LargeBinary, nullable=False, comment="JSON, keys sorted: what a repeat must ask too"),
    Column("sku", String(64), nullable=False),
    Column("lot", String(64)),
    Column("location", String(64), nullable=False),
    Column("asset", String(64), nullable=False, unique=True),
    Column("at", Big, nullable=False),
    Column("movement", String(36), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
)


def upgrade() -> None:
    """Tables that nothing had before."""
    metadata.create_all(op.get_bind())
