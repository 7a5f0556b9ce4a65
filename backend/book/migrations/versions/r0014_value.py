"""Fourteenth revision: what assets are worth: acquisitions, depreciation, disposals."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

revision, down_revision = "r0014", "r0013"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

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


def upgrade() -> None:
    """The tables."""
    metadata.create_all(op.get_bind())
