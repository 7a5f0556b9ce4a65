"""Every table of the book, as SQLAlchemy Core; Alembic's first revision creates exactly these.

Times are integer microseconds UTC, quantities canonical decimal text, bodies the bytes as they came. A primary key
cannot be null, so a balance without a lot has the lot "" here and null everywhere else.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

# -- what came in ------------------------------------------------------------------------------------------------
gateway = Table(
    "gateway",
    metadata,
    Column("id", Big, primary_key=True),
    Column("name", String(63), nullable=False, unique=True),
    Column("online", Boolean, nullable=False, server_default=text("false")),
    Column("last_seen", Big),
    Column("status", LargeBinary),
)
stream = Table(
    "stream",
    metadata,
    Column("id", Big, primary_key=True),
    Column("gateway_id", Big, ForeignKey("gateway.id"), nullable=False),
    Column("epoch", String(12), nullable=False),
    Column("mark", Big, nullable=False),
    Column("pruned_to", Big, nullable=False, server_default="0"),
    Column("listed_next_seq", Big),
    Column("listed_at", Big),
    Column("listed_oldest", Big),
    UniqueConstraint("gateway_id", "epoch"),
)
device = Table(
    "device",
    metadata,
    Column("id", Big, primary_key=True),
    Column("gateway_id", Big, nullable=False, comment="0 for a global name"),
    Column("name", String(128), nullable=False),
    UniqueConstraint("gateway_id", "name"),
)
journal = Table(
    "journal",
    metadata,
    Column("stream_id", Big, primary_key=True, autoincrement=False),
    Column("seq", Big, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("device_id", Big, nullable=False),
    Column("at", Big, nullable=False),
    Column("received_at", Big, nullable=False),
    Column("content", Big, nullable=False, comment="first 63 bits of the content hash"),
    Column("body", LargeBinary, nullable=False),
    Index("ix_journal_device_at", "device_id", "at"),
    Index("ix_journal_content", "content"),
    sqlite_with_rowid=False,
)
gap = Table(
    "gap",
    metadata,
    Column("stream_id", Big, primary_key=True, autoincrement=False),
    Column("from_seq", Big, primary_key=True, autoincrement=False),
    Column("to_seq", Big, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Big, nullable=False),
    Column("received_at", Big, nullable=False),
)
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Big, primary_key=True),
    Column("gateway", String(63), nullable=False),
    Column("stream_id", Big),
    Column("seq", Big),
    Column("sort", String(16), nullable=False, comment="invalid, conflict, envelope"),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", Big, nullable=False),
    Column("replayed_at", Big),
    Index("ix_quarantine_stream", "stream_id", "seq"),
)
api_scan = Table(
    "api_scan",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("stream_id", Big, nullable=False),
    Column("seq", Big, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
refused_count = Table(
    "refused_count",
    metadata,
    Column("gateway", String(63), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("sort", String(16), primary_key=True),
    Column("count", Big, nullable=False),
)
register_entry = Table(
    "register_entry",
    metadata,
    Column("n", Big, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("id", String(128), nullable=False),
    Column("valid_from", Big, nullable=False),
    Column("recorded_at", Big, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_register_kind_id", "kind", "id"),
)
clock_tick = Table(
    "clock_tick",
    metadata,
    Column("n", Big, primary_key=True),
    Column("at", Big, nullable=False),
    Column("step", String(16), nullable=False),
    Column("keys", Integer, nullable=False),
)

# -- what is derived from it -------------------------------------------------------------------------------------
fold_state = Table(
    "fold_state",
    metadata,
    Column("step", String(16), primary_key=True),
    Column("device_id", Big, primary_key=True, autoincrement=False),
    Column("subject", String(128), primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("last_at", Big, nullable=False),
    Column("last_hash", LargeBinary, nullable=False),
    Column("stream_id", Big, nullable=False),
    Column("received_at", Big, nullable=False),
    Column("due_at", Big, comment="when time passing ends what is open"),
    Column("closed_to", Big, comment="up to when it was ended so; an older reading is late"),
    Index("ix_fold_state_due_at", "due_at"),
)
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("step", String(16), primary_key=True),
    Column("device_id", Big, primary_key=True, autoincrement=False),
    Column("subject", String(128), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False, comment="days since 1970; state before it"),
    Column("state", LargeBinary, nullable=False),
)
dirty = Table(
    "dirty",
    metadata,
    Column("step", String(16), primary_key=True),
    Column("device_id", Big, primary_key=True, autoincrement=False),
    Column("subject", String(128), primary_key=True),
    Column("since", Big, nullable=False),
    Column("until", Big, nullable=False),
)
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
    Column("rule", String(32), nullable=False),
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
    Index("ix_crossing_kind_closed_at", "kind", "closed_at"),
    sqlite_autoincrement=True,
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
    Column("evidence", Text, nullable=False),
    Column("movement", String(36)),
    Index("ix_scan_act_key", "device_id", "subject", "day", "closed_at"),
    Index("ix_scan_act_at", "at"),
    sqlite_autoincrement=True,
)

# -- the stock ledger --------------------------------------------------------------------------------------------
movement = Table(
    "movement",
    metadata,
    Column("n", Big, primary_key=True, autoincrement=False, comment="1, 2, ... without a hole"),
    Column("id", String(36), nullable=False, unique=True),
    Column(
        "movement_id", String(36), nullable=False, comment="of the fact; posted again after a reversal it has a new id"
    ),
    Column("at", Big, nullable=False),
    Column("recorded_at", Big, nullable=False),
    Column("sku", String(64), nullable=False),
    Column("lot", String(64)),
    Column("quantity", Text, nullable=False),
    Column("source", String(64), nullable=False),
    Column("target", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("evidence", Text, nullable=False, comment="JSON list"),
    Column("reverses", String(36), unique=True),
    Column("actor", String(64), nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_movement_movement_id", "movement_id"),
    Index("ix_movement_sku", "sku", "at"),
    Index("ix_movement_at", "at"),
)
ledger_head = Table(
    "ledger_head",
    metadata,
    Column("ledger", String(16), primary_key=True),
    Column("n", Big, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
balance = Table(
    "balance",
    metadata,
    Column("sku", String(64), primary_key=True),
    Column("location", String(64), primary_key=True),
    Column("lot", String(64), primary_key=True),
    Column("on_hand", Text, nullable=False),
)

# -- decisions: recorded history, never rebuilt ------------------------------------------------------------------
alert = Table(
    "alert",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("rule", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("severity", String(16), nullable=False, comment="info, warning, critical"),
    Column("title", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="JSON object"),
    Column("state", String(16), nullable=False, comment="open, acknowledged, closed"),
    Column("raised_at", Big, nullable=False),
    Column("acknowledged_at", Big),
    Column("acknowledged_by", String(64)),
    Column("closed_at", Big),
    Index(
        "uq_alert_open",
        "rule",
        "subject",
        unique=True,
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    ),
)
alert_event = Table(
    "alert_event",
    metadata,
    Column("n", Big, primary_key=True),
    Column("alert_id", String(36), nullable=False),
    Column("at", Big, nullable=False),
    Column("what", String(16), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("note", Text),
)
proposal = Table(
    "proposal",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("sku", String(64), nullable=False),
    Column("quantity", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("reorder_min", Text, nullable=False),
    Column("reorder_max", Text, nullable=False),
    Column("supplier", String(64)),
    Column("state", String(16), nullable=False, comment="open, approved, rejected, withdrawn"),
    Column("made_at", Big, nullable=False),
    Column("decided_at", Big),
    Column("decided_by", String(64)),
    Column("reason", Text, comment="why it was proposed; why it was decided so is in proposal_event"),
    Index(
        "uq_proposal_open",
        "sku",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)
proposal_event = Table(
    "proposal_event",
    metadata,
    Column("n", Big, primary_key=True),
    Column("proposal_id", String(36), nullable=False),
    Column("at", Big, nullable=False),
    Column("what", String(16), nullable=False, comment="made, approved, rejected, withdrawn"),
    Column("actor", String(64), nullable=False),
    Column("note", Text),
    Index("ix_proposal_event_proposal_id", "proposal_id"),
)
changed = Table(
    "changed",
    metadata,
    Column("n", Big, primary_key=True),
    Column("subject", String(200), nullable=False, comment="item:SKU, tag:EPC, gateway:NAME, stream:ID"),
    Column("at", Big, nullable=False),
)
event = Table(
    "event",
    metadata,
    Column("n", Big, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("at", Big, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="JSON"),
    Column("published", Boolean, nullable=False, server_default=text("false")),
    Index("ix_event_unpublished", "n", sqlite_where=text("published = 0"), postgresql_where=text("NOT published")),
    sqlite_autoincrement=True,
)
lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("worker", String(64), nullable=False),
    Column("generation", Big, nullable=False),
    Column("until", Big, nullable=False),
)
