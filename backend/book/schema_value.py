"""Tables of what assets are worth: what was spent on them, how they went, and what was posted of it by month.

Costs, classes, disposals and postings are recorded history. `asset_value_mark` and `asset_value_position` say what is
still to be posted.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from backend.book.schema import Big, metadata

asset_cost = Table(
    "asset_cost",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asset", String(64), nullable=False),
    Column("at", String(10), nullable=False, comment="the day"),
    Column("amount", Text, nullable=False),
    Column("nature", String(16), nullable=False),
    Column("as_", String(8), nullable=False, comment="capex, opex: by the rules"),
    Column("reason", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False, comment="JSON, by which a repeat is known"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_asset_cost_asset", "asset"),
)
asset_cost_class = Table(
    "asset_cost_class",
    metadata,
    Column("n", Big, primary_key=True),
    Column("cost_id", String(64), nullable=False),
    Column("as_", String(8), nullable=False, comment="capex, opex: by a person, from then on"),
    Column("reason", Text, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_asset_cost_class_cost", "cost_id"),
)
asset_disposal = Table(
    "asset_disposal",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asset", String(64), nullable=False),
    Column("at", String(10), nullable=False, comment="the day"),
    Column("entry_at", Big, nullable=False, comment="from when the register says so: while it does, this holds"),
    Column("proceeds", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False, comment="JSON, by which a repeat is known"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Index("ix_asset_disposal_asset", "asset"),
)
asset_posting = Table(
    "asset_posting",
    metadata,
    Column("n", Big, primary_key=True, autoincrement=False, comment="1, 2, ... without a hole"),
    Column("recorded_at", Big, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("what", String(8), nullable=False, comment="month, delta"),
    Column("asset", String(64), nullable=False),
    Column("period", Integer, nullable=False, comment="the month it is posted in"),
    Column("origin", Integer, nullable=False, comment="the month it belongs to"),
    Column("lines", Text, nullable=False, comment="JSON"),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_asset_posting_asset", "asset", "n"),
    Index("ix_asset_posting_period", "period"),
)
asset_value_mark = Table(
    "asset_value_mark",
    metadata,
    Column("asset", String(64), primary_key=True),
    Column("marks", Big, nullable=False, comment="another number each time"),
)
asset_value_position = Table(
    "asset_value_position",
    metadata,
    Column("what", String(16), primary_key=True, comment="register: its entries; month: that all were posted for"),
    Column("n", Big, nullable=False),
)
