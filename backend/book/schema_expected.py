"""What is announced to come or to leave, in the book: recorded history. What came of it follows from the ledger."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from backend.book.schema import Big, metadata

expected = Table(
    "expected",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False, comment="receipt, shipment"),
    Column("party", String(64), comment="the supplier, or the customer's place"),
    Column("place", String(128), comment="a location, or a door as gateway/name"),
    Column("order_id", String(64), comment="of a purchase or an outbound order"),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big, nullable=False),
    Column("note", Text),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Column("closed_at", Big, comment="what happened later is not of it"),
    Column("closed_by", String(64)),
    Column("is_told", Boolean, nullable=False, server_default=text("false"), comment="that it is over"),
    Index("ix_expected_kind_end_at", "kind", "end_at"),
    Index("ix_expected_order_id", "order_id"),
    Index("ix_expected_due", "end_at", sqlite_where=text("is_told = 0"), postgresql_where=text("NOT is_told")),
)
expected_line = Table(
    "expected_line",
    metadata,
    Column("expected_id", String(64), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False, comment="1, 2, ..."),
    Column("sku", String(64), nullable=False),
    Column("lot", String(64)),
    Column("quantity", Text, nullable=False),
    Column("tags", Text, nullable=False, comment="JSON list of names: (00)SSCC, (01)GTIN(21)serial, EPC"),
    Index("ix_expected_line_sku", "sku"),
)
