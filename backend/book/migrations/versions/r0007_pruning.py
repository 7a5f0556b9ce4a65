"""Seventh revision: the journal is pruned behind sealed checkpoints; frozen as it was then."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

revision, down_revision = "r0007", "r0006"

metadata = MetaData(naming_convention={"ix": "ix_%(column_0_label)s", "pk": "pk_%(table_name)s"})
Big = BigInteger().with_variant(Integer, "sqlite")

too_late = Table(
    "too_late",
    metadata,
    Column("stream_id", Big, primary_key=True, autoincrement=False),
    Column("seq", Big, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("device_id", Big, nullable=False),
    Column("at", Big, nullable=False),
    Column("received_at", Big, nullable=False),
    Column("content", Big, nullable=False),
    Column("body", LargeBinary, nullable=False),
    comment="journalled readings of sealed days: they move nothing",
)
sealed_state = Table(
    "sealed_state",
    metadata,
    Column("step", String(16), primary_key=True),
    Column("device_id", Big, primary_key=True, autoincrement=False),
    Column("subject", String(128), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False, comment="the seal from which on it is the state"),
    Column("state", LargeBinary, nullable=False),
    Index("ix_sealed_state_day", "day"),
)
seal = Table(
    "seal",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False, comment="days since 1970: what is before is sealed"),
    Column("closed_at", Big, nullable=False, comment="from when on what is before the day comes too late"),
    Column("sealed_at", Big, comment="its states are kept and its digest is made"),
    Column("pruning_at", Big, comment="from when on its readings may be gone"),
    Column("pruned_at", Big, comment="its readings are gone"),
    Column("digest", LargeBinary, comment="over the seal before, seal_step and seal_stream"),
)
seal_step = Table(
    "seal_step",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("step", String(16), primary_key=True),
    Column("states", Big, nullable=False, comment="keys with a state at that day"),
    Column("states_digest", LargeBinary, nullable=False),
    Column("row_columns", Text, nullable=False, comment="JSON list: the columns that rows_digest is over"),
    Column(
        "row_count", Big, nullable=False, comment="derived rows up to the day before the last, since the seal before"
    ),
    Column("rows_digest", LargeBinary, nullable=False),
)
seal_stream = Table(
    "seal_stream",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("stream_id", Big, primary_key=True, autoincrement=False),
    Column("from_seq", Big, nullable=False),
    Column("to_seq", Big, nullable=False, comment="from_seq ... to_seq go"),
    Column(
        "counts", Text, nullable=False, comment="JSON object: numbers by kind of reading, gap, quarantine, too_late"
    ),
    Column("digest", LargeBinary, nullable=False, comment="over seq and body of the readings, in order"),
    Index("ix_seal_stream_stream", "stream_id", "to_seq"),
)


def upgrade() -> None:
    """What is sealed, and what came too late for it."""
    metadata.create_all(op.get_bind())
