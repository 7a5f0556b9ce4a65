"""Tables of the SQL telemetry store: points, rollups, and how far the book has been followed.

Streams and devices are named, not numbered: a book restored from a backup may number new ones otherwise. Times and
buckets (their start) are microseconds; `delta` is millionths of a unit, so that sums are exact.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table
from sqlalchemy import UniqueConstraint as Unique

VERSION = 1
"""Raised with any change below: a store of another version is emptied and filled anew."""

metadata = MetaData()
Big = BigInteger().with_variant(Integer, "sqlite")

about = Table("about", metadata, Column("version", Integer, primary_key=True))
followed = Table(
    "followed",
    metadata,
    Column("id", Big, primary_key=True),
    Column("gateway", String(63), nullable=False),
    Column("epoch", String(12), nullable=False),
    Column("upto", Big, nullable=False),
    Unique("gateway", "epoch"),
)
followed_ledger = Table(
    "followed_ledger",
    metadata,
    Column("ledger", String(16), primary_key=True),
    Column("n", Big, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
touch = Table(
    "touch",
    metadata,
    Column("stream", Big, primary_key=True, autoincrement=False),
    Column("device", String(192), primary_key=True),
    Column("bucket", Big, primary_key=True, autoincrement=False),
    Column("last_seq", Big, nullable=False, comment="the stream's last reading in this bucket"),
    sqlite_with_rowid=False,
)
stale = Table(
    "stale",
    metadata,
    Column("device", String(192), primary_key=True),
    Column("bucket", Big, primary_key=True, autoincrement=False),
    Column("points", Boolean, nullable=False, comment="its points too are to be read anew"),
    sqlite_with_rowid=False,
)
series = Table(
    "series",
    metadata,
    Column("id", Big, primary_key=True),
    Column("device", String(192), nullable=False),
    Column("name", String(64), nullable=False),
    Column("unit", String(64), nullable=False),
    Unique("device", "name", "unit"),
)
point = Table(
    "point",
    metadata,
    Column("series", Big, primary_key=True, autoincrement=False),
    Column("content", Big, primary_key=True, autoincrement=False, comment="what a device sent twice is one point"),
    Column("at", Big, nullable=False),
    Column("value", Float, nullable=False),
    Index("ix_point_series_at", "series", "at"),
    sqlite_with_rowid=False,
)


def _rollup(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("device", String(192), primary_key=True),
        Column("bucket", Big, primary_key=True, autoincrement=False),
        Column("kind", String(64), primary_key=True),
        Column("readings", Big, nullable=False),
        sqlite_with_rowid=False,
    )


readings_10m = _rollup("readings_10m")
readings_1h = _rollup("readings_1h")
stock_point = Table(
    "stock_point",
    metadata,
    Column("n", Big, primary_key=True, autoincrement=False, comment="of the ledger's entry"),
    Column("location", String(64), primary_key=True),
    Column("at", Big, nullable=False),
    Column("sku", String(64), nullable=False),
    Column("delta", Big, nullable=False),
    Index("ix_stock_point_sku", "sku", "location", "at"),
)
