"""Lots and reservations in the book: what of the stock is promised to whom, written off, or became an asset."""

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text, text

from backend.book.schema import Big, metadata

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
