"""Tables of where assets are, who holds them, bookings and audits.

`custody_event` is append-only, one hash chain for each asset; `asset_holder` stands where its last line left it, and
`asset_place` where the planner last saw the asset. `asset_leaving` are assets that may be going out: the planner looks
at them at once, before all that `changed`. `audit_stay` is what approved audits say.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint, text

from backend.book.schema import Big, metadata

asset_place = Table(
    "asset_place",
    metadata,
    Column("asset", String(64), primary_key=True),
    Column("place", String(80), comment="location:ID, zone:ID; null: nowhere that is known"),
    Column("since", Big, nullable=False),
    Column("seen_at", Big, nullable=False),
    Column("source", String(16), nullable=False, comment="scan, sweep, dock, gps, presence, custody"),
    Column(
        "by", String(120), nullable=False, comment="crossing:ID, presence:ID, visit:ID, scan:ID, custody:ID, audit:ID"
    ),
    Column("evidence", Text, nullable=False, comment="JSON list of content hashes"),
    Column("via", String(64), comment="the asset that it is a component of, if that was seen"),
    Column("made_at", Big, nullable=False),
    Index("ix_asset_place_place", "place"),
    Index("ix_asset_place_seen_at", "seen_at"),
)
asset_leaving = Table(
    "asset_leaving",
    metadata,
    Column("n", Big, primary_key=True),
    Column("asset", String(64), nullable=False),
    Column("at", Big, nullable=False),
    sqlite_autoincrement=True,
)
custody_event = Table(
    "custody_event",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asset", String(64), nullable=False),
    Column("seq", Integer, nullable=False, comment="in the asset's chain, from 1"),
    Column("what", String(16), nullable=False, comment="check_out, check_in, hand_over"),
    Column("at", Big, nullable=False),
    Column("holder", String(64), comment="who has it afterwards"),
    Column("giver", String(64)),
    Column("place", String(80), comment="location:ID, zone:ID"),
    Column("why", Text),
    Column("project", String(64)),
    Column("due_at", Big),
    Column("signed", String(200), comment="how the holder confirmed it"),
    Column("evidence", Text, nullable=False, comment="JSON list"),
    Column("booking", String(64)),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256 of the one before and this entry"),
    UniqueConstraint("asset", "seq"),
    sqlite_autoincrement=True,
)
asset_holder = Table(
    "asset_holder",
    metadata,
    Column("asset", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("since", Big, nullable=False),
    Column("due_at", Big),
    Column("entry", String(64), nullable=False, comment="the custody_event that says so"),
    Column("place", String(80)),
    Index("ix_asset_holder_due_at", "due_at"),
    Index("ix_asset_holder_holder", "holder"),
)
asset_booking = Table(
    "asset_booking",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asset", String(64), nullable=False),
    Column("holder", String(64), nullable=False),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big, nullable=False),
    Column("purpose", Text),
    Column("state", String(16), nullable=False, comment="open, done, cancelled"),
    Column("actor", String(64), nullable=False),
    Column("made_at", Big, nullable=False),
    Column("closed_at", Big),
    Column("closed_by", String(64)),
    Column("closed_why", Text),
    Index("ix_asset_booking_asset", "asset", "end_at"),
    sqlite_autoincrement=True,
)
asset_transfer = Table(
    "asset_transfer",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asset", String(64), nullable=False),
    Column("source", String(80), comment="location:ID, zone:ID, site:ID"),
    Column("target", String(80), nullable=False),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big, nullable=False, comment="when it is to be there"),
    Column("why", Text),
    Column("state", String(16), nullable=False, comment="open, done, cancelled"),
    Column("arrived_at", Big, comment="when it was seen there"),
    Column("actor", String(64), nullable=False),
    Column("made_at", Big, nullable=False),
    Column("closed_at", Big),
    Column("closed_by", String(64)),
    Column("closed_why", Text),
    Index("ix_asset_transfer_asset", "asset", "end_at"),
    Index(
        "ix_asset_transfer_open",
        "end_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    sqlite_autoincrement=True,
)
asset_audit = Table(
    "asset_audit",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("place", String(80), nullable=False, comment="location:ID, site:ID"),
    Column("device", String(128), comment="the reader, gateway/name; null: tags are put by a program"),
    Column("read_rates", Text, nullable=False, comment="JSON object: category or * to a share"),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big),
    Column("state", String(16), nullable=False, comment="open, closed, approved, rejected, cancelled"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Column("decided_by", String(64)),
    Column("decided_at", Big),
    Column("reason", Text),
    sqlite_autoincrement=True,
)
audit_pass = Table(
    "audit_pass",
    metadata,
    Column("audit_id", String(64), primary_key=True),
    Column("pass", Integer, primary_key=True, autoincrement=False),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big, nullable=False),
    Column("epcs", Text, comment="JSON list; null: what the audit's reader heard meanwhile"),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
)
audit_stay = Table(
    "audit_stay",
    metadata,
    Column("audit_id", String(64), primary_key=True),
    Column("asset", String(64), primary_key=True),
    Column("at", Big, nullable=False),
    Column("what", String(8), nullable=False, comment="seen, left"),
    Column("place", String(80), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("evidence", Text, nullable=False, comment="JSON list of EPCs"),
    Index("ix_audit_stay_asset", "asset", "at"),
)
