"""Eighteenth revision: work orders."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

revision, down_revision = "r0018", "r0017"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

OPEN = "state IN ('request', 'approved', 'planned', 'in_progress', 'on_hold')"
STANDS = "state NOT IN ('rejected', 'cancelled')"
"""As the partial indexes have it."""

work_order = Table(
    "work_order",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asked", LargeBinary, nullable=False, comment="JSON, keys sorted: what a repeat must ask too"),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("asset", String(64), nullable=False),
    Column("site", String(64), comment="of the asset, when it was made"),
    Column("title", Text, nullable=False),
    Column("text", Text),
    Column("priority", String(16), nullable=False, comment="urgent, high, normal, low"),
    Column("plan", String(64)),
    Column("occurrence", Integer, comment="of the plan, the first"),
    Column("covers", Text, nullable=False, comment="JSON list: every occurrence that it stands for"),
    Column("alert", String(36)),
    Column("origin", String(64), comment="the order at whose work it was found to be needed"),
    Column("component", String(64)),
    Column("failed_at", Big),
    Column("due_at", Big),
    Column("planned_at", Big, comment="when work is to begin: its parts are needed then"),
    Column("assignee", String(64)),
    Column("team", String(64)),
    Column("estimate_h", Text),
    Column("mode", String(64)),
    Column("mechanism", String(64)),
    Column("cause", String(64)),
    Column("detection", String(64)),
    Column("remedy", String(64)),
    Column("hours", Text, comment="what was read off the machine when it was done"),
    Column("made_by", String(64), nullable=False),
    Column("made_at", Big, nullable=False),
    Column("done_at", Big, comment="event time, as who did it says"),
    Column("service", String(36), comment="the service or repair that it was recorded as"),
    Column("costs", Text, comment="JSON, frozen when it was done or cancelled"),
    Index("uq_work_order_plan", "asset", "plan", unique=True, sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
    Index("uq_work_order_alert", "alert", unique=True, sqlite_where=text(STANDS), postgresql_where=text(STANDS)),
    Index("ix_work_order_asset", "asset", "n"),
    Index("ix_work_order_open", "due_at", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
)
work_step = Table(
    "work_step",
    metadata,
    Column("n", Big, primary_key=True),
    Column("order_id", String(64), nullable=False),
    Column("at", Big, nullable=False),
    Column("what", String(16), nullable=False, comment="made, a step, or what else was done: note, part, task ..."),
    Column("state", String(16), nullable=False, comment="of the order after it"),
    Column("actor", String(64), nullable=False),
    Column("note", Text, comment="why, or what was said"),
    Column("ref", String(64), comment="the task, part, cost, file or note that it is of"),
    Column("body", Text, nullable=False, comment="JSON object"),
    Index("ix_work_step_order", "order_id", "n"),
    sqlite_autoincrement=True,
)
work_task = Table(
    "work_task",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("task", LargeBinary, nullable=False, comment="JSON: text, kind, required, meter, unit, limits"),
    Column("said", Text, comment="ok, not_ok, not_applicable, or a number"),
    Column("is_right", Boolean),
    Column("note", Text),
    Column("answered_by", String(64)),
    Column("answered_at", Big),
    Column("follow_up", String(64), comment="the order that was made of it"),
)
work_cost = Table(
    "work_cost",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False, comment="labour, other"),
    Column("what", String(64), nullable=False, comment="the person, or what was paid for"),
    Column("at", Big, nullable=False),
    Column("hours", Text),
    Column("rate", Text),
    Column("amount", Text, nullable=False, comment="to the cent"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Column("withdrawn_why", Text, comment="recorded by mistake: it counts no more"),
)
work_part = Table(
    "work_part",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("sku", String(64), comment="an item of the stock; else it is a line of text"),
    Column("what", Text),
    Column("quantity", Text, nullable=False, comment="planned"),
    Column("location", String(64), comment="where it is taken from; null: where it expires first"),
    Column("lot", String(64)),
    Column("price", Text, comment="of one, of a line of text"),
    Column("issued", Text, nullable=False, comment="the sum of its moves"),
    Column("reservation", String(36), comment="the last one that held it"),
    Column("turns", Integer, nullable=False, comment="how often something was reserved or issued for it"),
    Column("dropped", Boolean, nullable=False, comment="not needed after all"),
)
work_move = Table(
    "work_move",
    metadata,
    Column("n", Big, primary_key=True),
    Column("order_id", String(64), nullable=False),
    Column("part_id", String(64), nullable=False),
    Column("what", String(16), nullable=False, comment="issued, returned, reversed"),
    Column("quantity", Text, nullable=False, comment="that was used more, or less: -5"),
    Column("location", String(64)),
    Column("lot", String(64)),
    Column("movement", String(36), comment="of the ledger; null for a line of text"),
    Column("of", Big, comment="the n of the move that it returns or reverses"),
    Column("cost", Text, comment="to the cent; null: nobody knows"),
    Column("at_end", Boolean, nullable=False, comment="posted when the order was done"),
    Column("at", Big, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_work_move_order", "order_id", "n"),
    Index("ix_work_move_movement", "movement"),
    sqlite_autoincrement=True,
)
work_file = Table(
    "work_file",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("media", String(64), nullable=False, comment="as who sent it says; never looked at"),
    Column("size", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("at", Big, nullable=False),
    UniqueConstraint("order_id", "sha256"),
)


def upgrade() -> None:
    """The tables."""
    metadata.create_all(op.get_bind())
