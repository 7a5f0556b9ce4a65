"""Twentieth revision: what went through doors on pallets, and until when labels say that lots may be used; frozen.

Passes of pallets' tags, and scans of lots, are folded anew by the deriver, which finds what was on them and said.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text, text

revision, down_revision = "r0020", "r0019"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

content_move = Table(
    "content_move",
    metadata,
    Column("crossing", String(36), primary_key=True, comment="of the pallet's tag"),
    Column("child", String(128), primary_key=True, comment="the carton, as PACK names it"),
    Column("pallet", String(128), nullable=False, comment="whose tag crossed, as PACK names it"),
    Column("day", Integer, nullable=False, comment="the crossing's"),
    Column("act", String(36), nullable=False, comment="of PACK, that put the carton where it is"),
    Column("movement", String(36), nullable=False, comment="movement_id of the ledger"),
    Index("ix_content_move_pallet", "pallet"),
    Index("ix_content_move_movement", "movement"),
)
scan_act = Table(
    "scan_act",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("device_id", Big, nullable=False),
    Column("subject", String(128), nullable=False),
    Column("device", String(128), nullable=False),
    Column("at", Big, nullable=False),
    Column("closed_at", Big, nullable=False),
    Column("day", Integer, nullable=False, comment="days since 1970: what was read by then made it"),
    Column("action", String(16), nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("sku", String(64)),
    Column("lot", String(64)),
    Column("serial", String(64)),
    Column("quantity", Text),
    Column("location", String(64)),
    Column("target", String(64), comment="where a move goes"),
    Column("parent", String(128), comment="of a pack: the pallet"),
    Column("child", String(128), comment="of a pack: what is on it"),
    Column("epc", String(128), comment="of an assign: the tag"),
    Column("asset", String(64), comment="of an assign: what the tag is on, if not goods"),
    Column("badge", String(64), comment="who"),
    Column("undoes", String(36), comment="of an undo: the id of the act that it takes back"),
    Column("expires", String(10), comment="what the label of a lot says: the last day of its use"),
    Column("evidence", Text, nullable=False),
    Column("movement", String(36)),
    Index("ix_scan_act_key", "device_id", "subject", "day", "closed_at"),
    Index("ix_scan_act_at", "at"),
    Index("ix_scan_act_parent", "parent"),
    Index("ix_scan_act_child", "child"),
    Index("ix_scan_act_epc", "epc"),
    Index("ix_scan_act_undoes", "undoes"),
    Index(
        "ix_scan_act_expires",
        "sku",
        "lot",
        sqlite_where=text("expires IS NOT NULL"),
        postgresql_where=text("expires IS NOT NULL"),
    ),
    Index(
        "ix_scan_act_serial",
        "serial",
        sqlite_where=text("serial IS NOT NULL"),
        postgresql_where=text("serial IS NOT NULL"),
    ),
    Index(
        "ix_scan_act_asset",
        "asset",
        "at",
        sqlite_where=text("asset IS NOT NULL"),
        postgresql_where=text("asset IS NOT NULL"),
    ),
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
    Column("price", Text, comment="what one is sold for; null: the item's own price"),
    Index("ix_outbound_line_sku", "sku"),
)
COLUMNS = ", ".join(column.name for column in scan_act.columns if column.name != "expires")
INDEXES = ("key", "at", "parent", "child", "epc", "undoes", "asset")
LINE = "order_id, line, sku, lot, quantity"
FOLD_ANEW = text("""INSERT INTO dirty (step, device_id, subject, since, until)
    SELECT 'dock', device_id, subject, MIN(first_at), 4611686018427387904 FROM crossing
    WHERE subject LIKE '31%' AND day >= COALESCE((SELECT MAX(day) FROM seal), -1)
        AND EXISTS (SELECT 1 FROM scan_act WHERE action = 'pack')
    GROUP BY device_id, subject
    ON CONFLICT (step, device_id, subject) DO UPDATE SET until = excluded.until,
    since = CASE WHEN dirty.since < excluded.since THEN dirty.since ELSE excluded.since END""")
LABELS_ANEW = text("""INSERT INTO dirty (step, device_id, subject, since, until)
    SELECT 'scan', device_id, subject, MIN(at), 4611686018427387904 FROM scan_act
    WHERE lot IS NOT NULL AND day >= COALESCE((SELECT MAX(day) FROM seal), -1)
    GROUP BY device_id, subject
    ON CONFLICT (step, device_id, subject) DO UPDATE SET until = excluded.until,
    since = CASE WHEN dirty.since < excluded.since THEN dirty.since ELSE excluded.since END""")


def upgrade() -> None:
    """The table, what labels say of lots, scans by serial number; what a line is sold for; passes and scans anew."""
    content_move.create(op.get_bind())
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        op.alter_column("outbound_order", "state", comment="open, closed, cancelled")
        op.add_column("outbound_line", Column("price", Text, comment=outbound_line.c.price.comment))
        op.add_column("scan_act", Column("expires", String(10), comment=scan_act.c.expires.comment))
        for name, columns in (("expires", ["sku", "lot"]), ("serial", ["serial"])):
            op.create_index(f"ix_scan_act_{name}", "scan_act", columns, postgresql_where=text(f"{name} IS NOT NULL"))
    for anew in (FOLD_ANEW, LABELS_ANEW):
        op.get_bind().execute(anew)


def _sqlite() -> None:
    """Another table of the name, as a new book has it; numbers that were given out are not given again."""
    for name in INDEXES:
        op.execute(f"DROP INDEX ix_scan_act_{name}")
    op.execute("ALTER TABLE scan_act RENAME TO scan_act_before")
    scan_act.create(op.get_bind())
    op.execute(f"INSERT INTO scan_act ({COLUMNS}) SELECT {COLUMNS} FROM scan_act_before")  # noqa: S608 - constants
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'scan_act'")
    op.execute("UPDATE sqlite_sequence SET name = 'scan_act' WHERE name = 'scan_act_before'")
    op.execute("DROP TABLE scan_act_before")
    op.execute("DROP INDEX ix_outbound_line_sku")
    op.execute("ALTER TABLE outbound_line RENAME TO outbound_line_before")
    outbound_line.create(op.get_bind())
    op.execute(f"INSERT INTO outbound_line ({LINE}) SELECT {LINE} FROM outbound_line_before")  # noqa: S608 - constants
    op.execute("DROP TABLE outbound_line_before")
