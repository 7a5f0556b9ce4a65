"""What stock is worth, in the book: costs as they became known, accounting periods, and what was posted in them.

Costs, closings and postings are recorded history. `value_month` is made from them and the ledger, and can be made
again; `value_mark` and `value_position` say what of it is not yet as it should be.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from backend.book.schema import Big, metadata

cost = Table(
    "cost",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("what", String(8), nullable=False, comment="price, landed"),
    Column("amount", Text, nullable=False, comment="price: of one unit; landed: of all its receipts together"),
    Column("movement", String(36), comment="price of this receipt"),
    Column("sku", String(64), comment="price: of this item"),
    Column("lot", String(64), comment="price of the item's receipts of this lot only"),
    Column("since", Big, comment="price of the item's receipts from this time on"),
    Column("share", String(8), comment="landed: value, quantity, weight"),
    Column("replaces", String(64), unique=True, comment="the cost that holds no more"),
    Column("note", Text),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_cost_movement", "movement"),
    Index("ix_cost_sku", "sku"),
)
cost_receipt = Table(
    "cost_receipt",
    metadata,
    Column("cost_id", String(64), primary_key=True),
    Column("movement", String(36), primary_key=True),
    Column("sku", String(64), nullable=False),
    Column("weight", Text),
    Index("ix_cost_receipt_sku", "sku"),
)
period = Table(
    "accounting_period",
    metadata,
    Column("month", Integer, primary_key=True, autoincrement=False, comment="closed; year * 12 + month - 1"),
    Column("closed_at", Big, nullable=False),
    Column("inventory", Text, nullable=False, comment="balance of the inventory's account at its end"),
    Column("actor", String(64), nullable=False),
    Column("note", Text),
)
value_posting = Table(
    "value_posting",
    metadata,
    Column("n", Big, primary_key=True, autoincrement=False, comment="1, 2, ... without a hole"),
    Column("recorded_at", Big, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("what", String(8), nullable=False, comment="close, delta"),
    Column("sku", String(64), nullable=False),
    Column("period", Integer, nullable=False, comment="the month it is posted in"),
    Column("origin", Integer, nullable=False, comment="the month it belongs to"),
    Column("lines", Text, nullable=False, comment="JSON"),
    Column("causes", Text, nullable=False, comment="JSON list"),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_value_posting_sku", "sku", "n"),
    Index("ix_value_posting_period", "period"),
)
value_month = Table(
    "value_month",
    metadata,
    Column("sku", String(64), primary_key=True),
    Column("month", Integer, primary_key=True, autoincrement=False),
    Column("days", LargeBinary, nullable=False, comment="JSON: flows by day"),
    Column("state", LargeBinary, nullable=False, comment="of costing, after the month's last event"),
    Column("quantity", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("last_at", Big, nullable=False),
    Column("uncosted", Text, nullable=False, comment="JSON list of movements"),
    Index("ix_value_month_month", "month"),
)
value_mark = Table(
    "value_mark",
    metadata,
    Column("sku", String(64), primary_key=True),
    Column("since", Big, nullable=False),
    Column("until", Big, nullable=False),
    Column("marks", Big, nullable=False, comment="one more each time"),
    Column("causes", Text, nullable=False, comment="JSON list: what was late for a closed month"),
)
value_position = Table(
    "value_position",
    metadata,
    Column("what", String(16), primary_key=True, comment="ledger, register, purchases"),
    Column("n", Big, nullable=False),
)
