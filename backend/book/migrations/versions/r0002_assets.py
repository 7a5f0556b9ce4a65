"""Second revision: running hours and travel of assets, services done, risks, snoozed alerts; frozen as it was then."""

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text

revision, down_revision = "r0002", "r0001"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

run = Table(
    "run",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("device_id", Big, nullable=False),
    Column("subject", String(128), nullable=False),
    Column("asset", String(64), nullable=False),
    Column("meter", String(64), nullable=False, comment="runtime, engine_hours (ms), odometer (mm)"),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big, nullable=False),
    Column("closed_at", Big, nullable=False, comment="the reading that showed that it is over"),
    Column("day", Integer, nullable=False, comment="days since 1970: what was read by then made it"),
    Column("least", Big, nullable=False),
    Column("most", Big, nullable=False, comment="more than least where nothing was observed"),
    Column("evidence", Text, nullable=False, comment="JSON list of content hashes"),
    Index("ix_run_key", "device_id", "subject", "day", "closed_at"),
    Index("ix_run_asset", "asset", "meter", "end_at"),
    sqlite_autoincrement=True,
)
travel = Table(
    "travel",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("device_id", Big, nullable=False),
    Column("subject", String(128), nullable=False),
    Column("asset", String(64), nullable=False),
    Column("what", String(16), nullable=False, comment="visit, distance"),
    Column("zone", String(64), comment="of a visit"),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big, nullable=False),
    Column("closed_at", Big, nullable=False, comment="the reading that showed that it is over"),
    Column("day", Integer, nullable=False, comment="days since 1970: what was read by then made it"),
    Column("distance_mm", Big, nullable=False),
    Column("evidence", Text, nullable=False, comment="JSON list of content hashes"),
    Index("ix_travel_key", "device_id", "subject", "day", "closed_at"),
    Index("ix_travel_asset", "asset", "what", "end_at"),
    sqlite_autoincrement=True,
)
alert_snooze = Table(
    "alert_snooze",
    metadata,
    Column("alert_id", String(36), primary_key=True),
    Column("until", Big, nullable=False, comment="when it opens again"),
    Index("ix_alert_snooze_until", "until"),
)
service_done = Table(
    "service_done",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("asset", String(64), nullable=False),
    Column("kind", String(16), nullable=False, comment="service, repair"),
    Column("plan", String(64), comment="of a service"),
    Column("component", String(64), comment="of a repair"),
    Column("at", Big, nullable=False),
    Column("failed_at", Big, comment="of a repair: when it broke"),
    Column("hours", Text, comment="what the person read off the machine"),
    Column("note", Text),
    Column("actor", String(64), nullable=False),
    Column("recorded_at", Big, nullable=False),
    Column("withdrawn_at", Big, comment="recorded by mistake: it counts no more"),
    Column("withdrawn_by", String(64)),
    Column("withdrawn_why", Text),
    Index("ix_service_done_asset", "asset", "at"),
)
risk = Table(
    "risk",
    metadata,
    Column("asset", String(64), primary_key=True),
    Column("model", String(64), primary_key=True),
    Column("at", Big, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False, comment="scored, not_enough_data"),
    Column("risk", Float, comment="probability of a failure within the model's horizon"),
    Column("threshold", Float, comment="an alert at or above it"),
    Column("missing", Text, comment="what is not enough, n of m"),
    Column("overhauled_at", Big, comment="the last repair of the component that this knew of"),
    Column("reasons", Text, nullable=False, comment="JSON list"),
    Column("complete_to", Big, nullable=False),
    Index("ix_risk_at", "at"),
)


def upgrade() -> None:
    """The tables and their indexes."""
    metadata.create_all(op.get_bind(), checkfirst=False)
