"""Third revision: the whole scan workflow; frozen as it was then.

Scanners are folded anew by the deriver, under the rules of this version: an item may wait for its place now.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

revision, down_revision = "r0003", "r0002"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

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
    Column("evidence", Text, nullable=False),
    Column("movement", String(36)),
    Index("ix_scan_act_key", "device_id", "subject", "day", "closed_at"),
    Index("ix_scan_act_at", "at"),
    Index("ix_scan_act_parent", "parent"),
    Index("ix_scan_act_child", "child"),
    Index("ix_scan_act_epc", "epc"),
    Index("ix_scan_act_undoes", "undoes"),
    sqlite_autoincrement=True,
)
KEPT = (
    "n, id, device_id, subject, device, at, closed_at, day, action, ok, text, sku, lot, serial, quantity, location, "
    "evidence, movement"
)
NEW = ("target", "parent", "child", "epc", "asset", "badge", "undoes")
INDEXED = ("parent", "child", "epc", "undoes")
FOLD_ANEW = """INSERT INTO dirty (step, device_id, subject, since, until)
    SELECT step, device_id, subject, COALESCE((SELECT MIN(day) * 86400000000 FROM checkpoint AS c WHERE
    c.step = f.step AND c.device_id = f.device_id AND c.subject = f.subject), 0), 4611686018427387904
    FROM fold_state AS f WHERE step = 'scan'
    ON CONFLICT (step, device_id, subject) DO UPDATE SET until = excluded.until,
    since = CASE WHEN dirty.since < excluded.since THEN dirty.since ELSE excluded.since END"""


def upgrade() -> None:
    """The columns and indexes, and every scanner to be folded anew."""
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _others()
    op.execute(FOLD_ANEW)
    op.execute("DELETE FROM checkpoint WHERE step = 'scan'")


def _sqlite() -> None:
    """Another table of the name, as a new book has it; numbers that were given out are not given again."""
    for index in ("ix_scan_act_key", "ix_scan_act_at"):
        op.execute(f"DROP INDEX {index}")
    op.execute("ALTER TABLE scan_act RENAME TO scan_act_before")
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.execute(f"INSERT INTO scan_act ({KEPT}) SELECT {KEPT} FROM scan_act_before")  # noqa: S608 - constants
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'scan_act'")
    op.execute("UPDATE sqlite_sequence SET name = 'scan_act' WHERE name = 'scan_act_before'")
    op.execute("DROP TABLE scan_act_before")


def _others() -> None:
    for name in NEW:
        op.add_column("scan_act", Column(name, scan_act.c[name].type, comment=scan_act.c[name].comment))
    for name in INDEXED:
        op.create_index(f"ix_scan_act_{name}", "scan_act", [name])
