"""Tenth revision: purchase orders and what came of them, what was measured for reordering; frozen as it was then.

What was approved before is an order from now on, under the proposal's id.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

revision, down_revision = "r0010", "r0009"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

purchase_order = Table(
    "purchase_order",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("supplier", String(64)),
    Column("ordered_at", Big, nullable=False),
    Column("proposal", String(36), comment="the proposal that it was approved as"),
    Column("note", Text),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_purchase_order_supplier", "supplier"),
    Index("ix_purchase_order_proposal", "proposal"),
)
purchase_line = Table(
    "purchase_line",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False, comment="1, 2, ..."),
    Column("sku", String(64), nullable=False),
    Column("quantity", Text, nullable=False),
    Column("price", Text, comment="of one unit, in the company's currency"),
    Column("expected_at", Big),
    Index("ix_purchase_line_sku", "sku"),
)
purchase_event = Table(
    "purchase_event",
    metadata,
    Column("n", Big, primary_key=True),
    Column("order_id", String(64), nullable=False),
    Column("line", Integer, comment="null: the whole order"),
    Column("at", Big, nullable=False),
    Column("what", String(16), nullable=False, comment="ordered, cancelled, received, reopened"),
    Column("actor", String(64), nullable=False),
    Column("note", Text),
    Index("ix_purchase_event_order_id", "order_id"),
)
supplier_move = Table(
    "supplier_move",
    metadata,
    Column("movement_id", String(36), primary_key=True, comment="of the fact, whatever was reversed since"),
    Column("sku", String(64), nullable=False),
    Column("at", Big, nullable=False),
    Column("party", String(64), comment="the supplier, if the place tells"),
    Column("lot", String(64)),
    Column("quantity", Text, nullable=False, comment="signed: what goes back to a supplier is below 0"),
    Index("ix_supplier_move_sku", "sku"),
)
purchase_fill = Table(
    "purchase_fill",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("sku", String(64), nullable=False),
    Column("supplier", String(64)),
    Column("received", Text, nullable=False),
    Column("outstanding", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("ordered_at", Big, nullable=False),
    Column("first_at", Big),
    Column("last_at", Big),
    Index("ix_purchase_fill_open", "sku", sqlite_where=text("is_open = 1"), postgresql_where=text("is_open")),
    Index("ix_purchase_fill_supplier", "supplier", "last_at"),
)
receipts_followed = Table(
    "receipts_followed",
    metadata,
    Column("ledger", String(16), primary_key=True),
    Column("n", Big, nullable=False, comment="movements up to this one are in supplier_move"),
    Column("sources", Text, nullable=False, comment="JSON: the places that were suppliers'; others: made anew"),
)
reorder_level = Table(
    "reorder_level",
    metadata,
    Column("sku", String(64), primary_key=True),
    Column("asked", LargeBinary, nullable=False, comment="JSON: the policy and terms that it was made for"),
    Column("measured_at", Big, nullable=False),
    Column("reviewed_at", Big, comment="of method review: the last period that was decided about"),
    Column("level", LargeBinary, nullable=False, comment="JSON"),
)

CARRIED = (
    (
        "INSERT INTO purchase_order (id, supplier, ordered_at, proposal, actor, recorded_at) SELECT id, supplier, "
        "decided_at, id, COALESCE(decided_by, 'local'), decided_at FROM proposal WHERE state = 'approved' ORDER BY n"
    ),
    (
        "INSERT INTO purchase_line (order_id, line, sku, quantity) SELECT id, 1, sku, quantity FROM proposal "
        "WHERE state = 'approved'"
    ),
    (
        "INSERT INTO purchase_event (order_id, line, at, what, actor) SELECT id, NULL, decided_at, 'ordered', "
        "COALESCE(decided_by, 'local') FROM proposal WHERE state = 'approved' ORDER BY n"
    ),
    (
        "INSERT INTO purchase_fill (order_id, line, sku, supplier, received, outstanding, is_open, ordered_at) "
        "SELECT id, 1, sku, supplier, '0', quantity, true, decided_at FROM proposal WHERE state = 'approved'"
    ),
)


def upgrade() -> None:
    """The planner fills the orders from the ledger when it first looks."""
    metadata.create_all(op.get_bind())
    op.create_index("ix_proposal_sku", "proposal", ["sku", "n"])
    for statement in CARRIED:
        op.execute(statement)
