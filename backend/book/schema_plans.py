"""Tables of maintenance plans: what their conditions were seen at last, and what services found and proved."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from backend.book.schema import Big, metadata

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
