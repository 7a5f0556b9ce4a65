"""Eleventh revision: counts, sweeps, orders to be picked, and tasks of the warehouse; frozen as it was then."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

revision, down_revision = "r0011", "r0010"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

warehouse_event = Table(
    "warehouse_event",
    metadata,
    Column("n", Big, primary_key=True),
    Column("subject", String(80), nullable=False, comment="count:ID, sweep:ID, order:ID, task:ID"),
    Column("at", Big, nullable=False, comment="when it was recorded"),
    Column("what", String(16), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("body", Text, nullable=False, comment="JSON object"),
    Index("ix_warehouse_event_subject", "subject"),
    sqlite_autoincrement=True,
)
stock_count = Table(
    "stock_count",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("skus", Text, comment="JSON list; null: every item"),
    Column("locations", Text, comment="JSON list; null: every place"),
    Column("blind", Boolean, nullable=False),
    Column("classes", Text, nullable=False, comment="JSON object: SKU to A, B or C"),
    Column("begin_at", Big, nullable=False, comment="the book as it was then is the snapshot"),
    Column("state", String(16), nullable=False, comment="open, submitted, approved, rejected, cancelled"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_stock_count_state", "state"),
    sqlite_autoincrement=True,
)
count_line = Table(
    "count_line",
    metadata,
    Column("count_id", String(64), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("sku", String(64), nullable=False),
    Column("location", String(64), nullable=False),
    Column("lot", String(64)),
    Column("snapshot", Text, nullable=False, comment="what the book said when the count was opened"),
    Column("round", Integer, nullable=False, comment="1, 2 ...; more after a recount"),
    Column("round_from", Big, nullable=False),
)
count_reading = Table(
    "count_reading",
    metadata,
    Column("count_id", String(64), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("at", Big, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("evidence", Text, nullable=False, comment="JSON list"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
)
counted = Table(
    "counted",
    metadata,
    Column("id", String(80), primary_key=True, comment="COUNT/LINE, or of a sweep a UUID"),
    Column("source", String(80), nullable=False, comment="count:ID, sweep:ID"),
    Column("sku", String(64), nullable=False),
    Column("location", String(64), nullable=False),
    Column("lot", String(64)),
    Column("at", Big, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("adjustment", Text, nullable=False, comment="signed; what it adds to the book's figure of that moment"),
    Column("movement", String(36), comment="the adjustment that holds"),
    Index("ix_counted_sku_at", "sku", "at"),
    Index("ix_counted_source", "source"),
)
sweep = Table(
    "sweep",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("place", String(64), nullable=False),
    Column("device", String(128), comment="the reader, gateway/name; null: tags are put by a program"),
    Column("read_rates", Text, nullable=False, comment="JSON object: SKU, family or * to a share"),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big),
    Column("state", String(16), nullable=False, comment="open, closed, approved, rejected, cancelled"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_sweep_state", "state"),
    sqlite_autoincrement=True,
)
sweep_pass = Table(
    "sweep_pass",
    metadata,
    Column("sweep_id", String(64), primary_key=True),
    Column("pass", Integer, primary_key=True, autoincrement=False),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big, nullable=False),
    Column("epcs", Text, comment="JSON list; null: what the sweep's reader heard meanwhile"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
)
tag_stay = Table(
    "tag_stay",
    metadata,
    Column("source", String(120), primary_key=True, comment="sweep:ID, task:ID/CONFIRMATION"),
    Column("epc", String(128), primary_key=True),
    Column("at", Big, nullable=False),
    Column("how", String(16), nullable=False, comment="moved, seen, missing"),
    Column("place", String(64), nullable=False),
    Column("sku", String(64), nullable=False),
    Column("quantity", Text, nullable=False),
    Column("movement", String(36), comment="of a tag seen elsewhere than it was booked: the transfer that holds"),
    Index("ix_tag_stay_epc", "epc"),
    Index("ix_tag_stay_place", "place"),
    Index("ix_tag_stay_sku_at", "sku", "at"),
)
outbound_order = Table(
    "outbound_order",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("customer", String(64), nullable=False),
    Column("stage", String(64), nullable=False, comment="where picked goods wait for the truck"),
    Column("due_at", Big, nullable=False),
    Column("state", String(16), nullable=False, comment="open, cancelled"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_outbound_order_state", "state"),
    sqlite_autoincrement=True,
)
outbound_line = Table(
    "outbound_line",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("sku", String(64), nullable=False),
    Column("lot", String(64)),
    Column("quantity", Text, nullable=False),
    Index("ix_outbound_line_sku", "sku"),
)
warehouse_task = Table(
    "warehouse_task",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("kind", String(16), nullable=False, comment="put_away, replenish, cross_dock, pick"),
    Column("state", String(16), nullable=False, comment="open, taken, done, cancelled"),
    Column("sku", String(64), nullable=False),
    Column("lot", String(64)),
    Column("quantity", Text, nullable=False),
    Column("done", Text, nullable=False, comment="so much of it is confirmed"),
    Column("source", String(64), nullable=False),
    Column("target", String(64), nullable=False, comment="of put-away: the bin that is suggested"),
    Column("order_id", String(64)),
    Column("line", Integer),
    Column("reservation", String(64), comment="what holds the goods for it"),
    Column("why", Text, nullable=False),
    Column("since", Big, nullable=False, comment="event time of what called for it"),
    Column("made_at", Big, nullable=False),
    Column("taken_by", String(64)),
    Column("ended_at", Big),
    Index("ix_warehouse_task_state", "state", "kind"),
    Index("ix_warehouse_task_order_id", "order_id"),
    Index("ix_warehouse_task_sku", "sku", "state"),
    sqlite_autoincrement=True,
)
task_confirmation = Table(
    "task_confirmation",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("task_id", String(36), nullable=False),
    Column("at", Big, nullable=False),
    Column("sku", String(64), nullable=False),
    Column("lot", String(64)),
    Column("quantity", Text, nullable=False),
    Column("location", String(64), nullable=False, comment="the place that was scanned"),
    Column("epc", String(128), comment="the tag that was read"),
    Column("evidence", Text, nullable=False, comment="JSON list"),
    Column("movement", String(36), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_task_confirmation_task_id", "task_id"),
    Index("ix_task_confirmation_epc", "epc"),
)


def upgrade() -> None:
    """Nothing of this was there before."""
    metadata.create_all(op.get_bind())
