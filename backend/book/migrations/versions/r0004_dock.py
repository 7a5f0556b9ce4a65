"""Fourth revision: a crossing's own verdict beside the final one, and presence; frozen as it was then.

What doors derived is folded anew by the deriver: open passes are kept in another form now, and every crossing is voted
on. Until then rows stand as they were, so that the ledger's entries keep what they rest on.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text

revision, down_revision = "r0004", "r0003"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

crossing = Table(
    "crossing",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("device_id", Big, nullable=False),
    Column("subject", String(128), nullable=False, comment="the tag's EPC"),
    Column("door", String(128), nullable=False),
    Column("first_at", Big, nullable=False),
    Column("last_at", Big, nullable=False),
    Column("closed_at", Big, nullable=False),
    Column("day", Integer, nullable=False, comment="days since 1970: what was read by then made it"),
    Column("direction", String(8), nullable=False),
    Column("score", Float, nullable=False),
    Column("reasons", Text, nullable=False, comment="JSON list"),
    Column("rule", String(64), nullable=False),
    Column("own_direction", String(8), nullable=False, comment="of this tag alone, before the vote"),
    Column("own_score", Float, nullable=False),
    Column("own_reasons", Text, nullable=False, comment="JSON list"),
    Column("chances", Text, nullable=False, comment="JSON list: in, out, none; of this tag alone"),
    Column("stray", Float, nullable=False, comment="chance of none, of this tag alone"),
    Column("middle_at", Big, nullable=False, comment="centre of its reads; who votes together is told by it"),
    Column("evidence", Text, nullable=False, comment="JSON list of content hashes"),
    Column("evidence_count", Integer, nullable=False),
    Column("kind", String(8), nullable=False, comment="stock, asset, unknown"),
    Column("sku", String(64)),
    Column("asset", String(64)),
    Column("quantity", Text),
    Column("why", Text, nullable=False),
    Column("movement", String(36), comment="movement_id of the ledger"),
    Index("ix_crossing_key", "device_id", "subject", "day", "closed_at"),
    Index("ix_crossing_subject", "subject"),
    Index("ix_crossing_middle_at", "device_id", "middle_at"),
    Index("ix_crossing_kind_closed_at", "kind", "closed_at"),
    sqlite_autoincrement=True,
)
presence = Table(
    "presence",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("device_id", Big, nullable=False),
    Column("subject", String(128), nullable=False, comment="the tag's EPC"),
    Column("what", String(16), nullable=False, comment="arrive, move, depart"),
    Column("place", String(256), nullable=False),
    Column("was", String(256), comment="of a move: the place before"),
    Column("closed_at", Big, nullable=False, comment="when"),
    Column("day", Integer, nullable=False, comment="days since 1970: what was read by then made it"),
    Column("evidence", Text, nullable=False, comment="JSON list of content hashes"),
    Index("ix_presence_key", "device_id", "subject", "day", "closed_at"),
    Index("ix_presence_subject", "subject", "closed_at"),
    sqlite_autoincrement=True,
)
KEPT = (
    "n, id, device_id, subject, door, first_at, last_at, closed_at, day, direction, score, reasons, rule, evidence, "
    "evidence_count, kind, sku, asset, quantity, why, movement"
)
NEW = "own_direction, own_score, own_reasons, chances, stray, middle_at"
AS_IT_WAS = """direction, score, reasons,
    CASE direction WHEN 'in' THEN '[1.0, 0.0, 0.0]' WHEN 'out' THEN '[0.0, 1.0, 0.0]' ELSE '[0.0, 0.0, 1.0]' END,
    CASE direction WHEN 'none' THEN 1.0 ELSE 0.0 END, (first_at + last_at) / 2"""
FOLD_ANEW = """INSERT INTO dirty (step, device_id, subject, since, until)
    SELECT step, device_id, subject, COALESCE((SELECT MIN(day) * 86400000000 FROM checkpoint AS c WHERE
    c.step = f.step AND c.device_id = f.device_id AND c.subject = f.subject), 0), 4611686018427387904
    FROM fold_state AS f WHERE step = 'dock'
    ON CONFLICT (step, device_id, subject) DO UPDATE SET until = excluded.until,
    since = CASE WHEN dirty.since < excluded.since THEN dirty.since ELSE excluded.since END"""


def upgrade() -> None:
    """The columns, filled from what there was, and every key of a door to be folded anew."""
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _others()
    presence.create(op.get_bind())
    op.execute(FOLD_ANEW)
    op.execute("DELETE FROM checkpoint WHERE step = 'dock'")


def _sqlite() -> None:
    """Another table of the name, as a new book has it; numbers that were given out are not given again."""
    for index in ("ix_crossing_key", "ix_crossing_subject", "ix_crossing_kind_closed_at"):
        op.execute(f"DROP INDEX {index}")
    op.execute("ALTER TABLE crossing RENAME TO crossing_before")
    crossing.create(op.get_bind())
    op.execute(f"INSERT INTO crossing ({KEPT}, {NEW}) SELECT {KEPT}, {AS_IT_WAS} FROM crossing_before")  # noqa: S608 - constants
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'crossing'")
    op.execute("UPDATE sqlite_sequence SET name = 'crossing' WHERE name = 'crossing_before'")
    op.execute("DROP TABLE crossing_before")


def _others() -> None:
    names = NEW.split(", ")
    for name in names:
        op.add_column("crossing", Column(name, crossing.c[name].type, nullable=True, comment=crossing.c[name].comment))
    op.execute(f"UPDATE crossing SET ({NEW}) = ROW ({AS_IT_WAS})")  # noqa: S608 - constants
    for name in names:
        op.alter_column("crossing", name, nullable=False)
    op.alter_column("crossing", "rule", type_=String(64))
    op.create_index("ix_crossing_middle_at", "crossing", ["device_id", "middle_at"])
