"""Seventeenth revision: occurrences of maintenance plans."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

revision, down_revision = "r0017", "r0016"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

plan_condition = Table(
    "plan_condition",
    metadata,
    Column("asset", String(64), primary_key=True),
    Column("plan", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="of the plan's conditions: 0, 1, ..."),
    Column("since", Big, nullable=False, comment="readings of after it were looked at: the last service"),
    Column("holds", Boolean, nullable=False),
    Column("at", Big, nullable=False, comment="since when it holds, or the last reading that was looked at"),
    Column("what", Text, nullable=False, comment="in words, with the figures"),
)
service_result = Table(
    "service_result",
    metadata,
    Column("service", String(64), primary_key=True, comment="id of service_done"),
    Column("result", String(64), comment="what an inspection found"),
    Column("certificate", String(200)),
    Column("as_found", Text, comment="JSON object: values before, by what was measured"),
    Column("as_left", Text, comment="the same afterwards"),
    Index("ix_service_result_result", "result"),
)


def upgrade() -> None:
    """The tables; and what an asset used is added up from an index alone."""
    metadata.create_all(op.get_bind())
    op.drop_index("ix_run_asset", "run")
    op.create_index("ix_run_used", "run", ["asset", "meter", "end_at", "begin_at", "least", "most"])
