"""Tables of the SQL telemetry store: fixes, points, rollups, and how far the book has been followed.

Streams and devices are named, not numbered as in the book: one restored from a backup may number new ones otherwise.
Times and begins of buckets are microseconds; `delta` is millionths of a unit, so that sums are exact. What is measured
lies by device and time, so that a span, and the last before a time, is one place; of what is newest of all there is a
copy, so that what a whole fleet says now lies together.
"""

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, LargeBinary, MetaData, String, Table
from sqlalchemy import UniqueConstraint as Unique

from backend.telemetry.rows import FIX

VERSION = 3
"""Raised with any change below: a store of another version is emptied and filled anew."""

metadata = MetaData()
Big = BigInteger().with_variant(Integer, "sqlite")

about = Table(
    "about",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("life", String(32), nullable=False, comment="another one whenever the store begins anew"),
    Column("forgotten", Big, comment="what is older was forgotten; null before anything was"),
)
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
device = Table(
    "device", metadata, Column("id", Big, primary_key=True), Column("name", String(192), nullable=False, unique=True)
)
series = Table(
    "series",
    metadata,
    Column("id", Big, primary_key=True),
    Column("device", Big, nullable=False),
    Column("name", String(64), nullable=False),
    Column("unit", String(64), nullable=False),
    Unique("name", "device", "unit"),
    Index("ix_series_device", "device"),
)


def _key(name: str) -> Column[int]:
    return Column(name, Big, primary_key=True, autoincrement=False)


touch = Table(
    "touch",
    metadata,
    _key("begin"),
    _key("stream"),
    _key("device"),
    Column("last_seq", Big, nullable=False, comment="the stream's last reading in these ten minutes"),
    sqlite_with_rowid=False,
)
stale = Table(
    "stale",
    metadata,
    _key("begin"),
    _key("device"),
    Column("anew", Boolean, nullable=False, comment="its samples too are to be replaced"),
    sqlite_with_rowid=False,
)
fix = Table(
    "fix",
    metadata,
    _key("device"),
    _key("at"),
    _key("content"),
    *(Column(name, Double) for name in FIX),
    sqlite_with_rowid=False,
)
point = Table(
    "point",
    metadata,
    _key("series"),
    _key("at"),
    _key("content"),
    Column("value", Double, nullable=False),
    sqlite_with_rowid=False,
)
latest = Table(
    "latest",
    metadata,
    _key("series"),
    Column("at", Big, nullable=False),
    Column("content", Big, nullable=False),
    Column("value", Double, nullable=False),
    sqlite_with_rowid=False,
    comment="the newest point of each series",
)
position = Table(
    "position",
    metadata,
    _key("device"),
    Column("at", Big, nullable=False),
    Column("content", Big, nullable=False),
    *(Column(name, Double, nullable=name == "speed_mps") for name in ("lat", "lon", "speed_mps")),
    sqlite_with_rowid=False,
    comment="the newest fix of each device that has both degrees",
)


def _rollup(name: str) -> Table:
    return Table(
        name,
        metadata,
        _key("series"),
        _key("begin"),
        Column("count", Big, nullable=False),
        Column("total", Double, nullable=False),
        Column("low", Double, nullable=False),
        Column("high", Double, nullable=False),
        Column("zeros", Big, nullable=False),
        Column("moving", Big, nullable=False, comment="how many at whose time the device drove"),
        Column("moving_total", Double, nullable=False),
        Column("last", Double, nullable=False),
        Column("last_at", Big, nullable=False),
        sqlite_with_rowid=False,
    )


rollup_10m = _rollup("rollup_10m")
rollup_1h = _rollup("rollup_1h")


def _readings(name: str) -> Table:
    return Table(
        name,
        metadata,
        _key("device"),
        _key("begin"),
        Column("kind", String(64), primary_key=True),
        Column("readings", Big, nullable=False),
        sqlite_with_rowid=False,
    )


readings_10m = _readings("readings_10m")
readings_1h = _readings("readings_1h")
stock_point = Table(
    "stock_point",
    metadata,
    _key("n"),
    Column("location", String(64), primary_key=True),
    Column("at", Big, nullable=False),
    Column("sku", String(64), nullable=False),
    Column("delta", Big, nullable=False),
    Index("ix_stock_point_sku", "sku", "location", "at"),
)
