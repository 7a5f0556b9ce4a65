"""Sixteenth revision: what people say of meters, and what stopped a machine."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

revision, down_revision = "r0016", "r0015"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

meter_note = Table(
    "meter_note",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asset", String(64), nullable=False),
    Column("meter", String(32), nullable=False, comment="a counter: engine_hours, odometer, starts, cycles ..."),
    Column("at", Big, nullable=False),
    Column("kind", String(16), nullable=False, comment="reading, count, reset, replacement, rollover, baseline ..."),
    Column("value", Text, comment="hours, km or times, a decimal"),
    Column("before", Text, comment="what the counter said last, before it was reset or replaced"),
    Column("reason", Text, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_meter_note_asset", "asset", "meter", "at"),
)
meter_note_end = Table(
    "meter_note_end",
    metadata,
    Column("n", Big, primary_key=True),
    Column("note", String(64), nullable=False, unique=True),
    Column("reason", Text, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    comment="notes that were withdrawn: they count no more",
)
downtime = Table(
    "downtime",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asset", String(64), nullable=False),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big, comment="null while it stands"),
    Column("planned", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("work_order", String(64)),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Column("ended_by", String(64)),
    Column("withdrawn_at", Big, comment="recorded by mistake: it counts no more"),
    Column("withdrawn_by", String(64)),
    Column("withdrawn_why", Text),
    Index("ix_downtime_asset", "asset", "begin_at"),
)


def upgrade() -> None:
    """The tables."""
    metadata.create_all(op.get_bind())
