"""Fifth revision: trips, stops and transports beside visits and distance, and why a stretch of use is as it is; frozen.

What trackers derived is folded anew by the deriver, under the rules of this version. Until then rows stand as they
were; states are emptied, for their form is another one now, and readings of these keys wait.
"""

import json
from collections.abc import Iterator

from alembic import op
from sqlalchemy import BigInteger, Column, Connection, Float, Index, Integer, MetaData, String, Table, Text, text

revision, down_revision = "r0005", "r0004"

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
    Column("why", String(16), comment="it is as it is, if it is not simply what was counted"),
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
    Column("what", String(16), nullable=False, comment="visit, distance, trip, stop, transported"),
    Column("zone", String(64), comment="of a visit"),
    Column("begin_at", Big, nullable=False),
    Column("end_at", Big, nullable=False),
    Column("closed_at", Big, nullable=False, comment="the reading that showed that it is over"),
    Column("day", Integer, nullable=False, comment="days since 1970: what was read by then made it"),
    Column("distance_mm", Big, nullable=False),
    Column("lat", Float, comment="of a stop: where it stood; of what moved: where it ended"),
    Column("lon", Float),
    Column("fixes", Integer, nullable=False, comment="so many good ones are behind it"),
    Column("version", Big, nullable=False, comment="valid_from of what decided it: the zone, else the tracker"),
    Column("method", String(16), comment="of a visit: fix, segment"),
    Column("evidence", Text, nullable=False, comment="JSON list of content hashes"),
    Index("ix_travel_key", "device_id", "subject", "day", "closed_at"),
    Index("ix_travel_asset", "asset", "what", "end_at"),
    sqlite_autoincrement=True,
)
KEPT = {
    "run": "n, id, device_id, subject, asset, meter, begin_at, end_at, closed_at, day, least, most, evidence",
    "travel": "n, id, device_id, subject, asset, what, zone, begin_at, end_at, closed_at, day, distance_mm, evidence",
}
UNKNOWN = {"run": ("", ""), "travel": (", fixes, version", ", 0, 0")}
"""Columns that must say something, and what they say until the deriver has been there."""
NEW = {"run": ("why",), "travel": ("lat", "lon", "fixes", "version", "method")}
FOR_EVER = 4_611_686_018_427_387_904
DAY_US = 86_400_000_000
FOLD_ANEW = text("""INSERT INTO dirty (step, device_id, subject, since, until)
    VALUES (:step, :device_id, :subject, :since, :until)
    ON CONFLICT (step, device_id, subject) DO UPDATE SET until = excluded.until,
    since = CASE WHEN dirty.since < excluded.since THEN dirty.since ELSE excluded.since END""")
KEYS = text("""SELECT device_id, subject, step = 'hours' AS counts FROM fold_state WHERE step IN ('hours', 'motion')
    UNION SELECT device_id, subject, step = 'hours' FROM dirty WHERE step IN ('hours', 'motion')""")
FIRST_DAYS = text("SELECT device_id, MIN(day) FROM checkpoint WHERE step IN ('hours', 'motion') GROUP BY device_id")
FIRST_LATE = text("SELECT device_id, MIN(since) AS since FROM dirty WHERE step = 'hours' GROUP BY device_id")
"""Inputs that wait for the deriver may be of before the first checkpoint; motion hears them too now."""
DEVICES = text("SELECT d.id, d.name, g.name AS owner FROM device AS d LEFT JOIN gateway AS g ON g.id = d.gateway_id")
NO_STATE = text("UPDATE fold_state SET state = :nothing WHERE step IN ('hours', 'motion')")
UNTRACKED = text("DELETE FROM fold_state WHERE step = 'motion' AND device_id = :device_id")
WAITS_NO_MORE = text("DELETE FROM dirty WHERE step = 'motion' AND device_id = :device_id")


def upgrade() -> None:
    """The columns, the newest alert of a subject by index, and every key of a tracker to be folded anew."""
    for table in (run, travel):
        if op.get_bind().dialect.name == "sqlite":
            _sqlite(table)
        else:
            _others(table)
    op.create_index("ix_alert_subject", "alert", ["rule", "subject", "n"])
    _fold_anew(op.get_bind())


def _sqlite(table: Table) -> None:
    """Another table of the name, as a new book has it; numbers that were given out are not given again."""
    name, kept, unknown = table.name, KEPT[table.name], UNKNOWN[table.name]
    for index in ("key", "asset"):
        op.execute(f"DROP INDEX ix_{name}_{index}")
    op.execute(f"ALTER TABLE {name} RENAME TO {name}_before")
    table.create(op.get_bind())
    op.execute(f"INSERT INTO {name} ({kept}{unknown[0]}) SELECT {kept}{unknown[1]} FROM {name}_before")  # noqa: S608 - constants
    op.execute(f"DELETE FROM sqlite_sequence WHERE name = '{name}'")  # noqa: S608 - constants
    op.execute(f"UPDATE sqlite_sequence SET name = '{name}' WHERE name = '{name}_before'")  # noqa: S608 - constants
    op.execute(f"DROP TABLE {name}_before")


def _others(table: Table) -> None:
    for name in NEW[table.name]:
        op.add_column(table.name, Column(name, table.c[name].type, comment=table.c[name].comment))
        if not table.c[name].nullable:
            op.execute(f"UPDATE {table.name} SET {name} = 0")  # noqa: S608 - constants
            op.alter_column(table.name, name, nullable=False)
    if table is travel:
        op.alter_column("travel", "what", comment=travel.c.what.comment, existing_comment="visit, distance")


def _fold_anew(tx: Connection) -> None:
    """Hours of every key; motion of trackers, whose engine it listens to now, and of nothing else any more."""
    first = {device_id: day * DAY_US for device_id, day in tx.execute(FIRST_DAYS)}
    late = {row.device_id: row.since for row in tx.execute(FIRST_LATE)}
    trackers = {*_trackers(tx)}
    keys = tx.execute(KEYS).all()
    for device_id, subject, counts in keys:
        steps = [*(["hours"] if counts else []), *(["motion"] if device_id in trackers else [])]
        span = {"since": min(first.get(device_id, 0), late.get(device_id, FOR_EVER)), "until": FOR_EVER}
        for step in steps:
            tx.execute(FOLD_ANEW, {"step": step, "device_id": device_id, "subject": subject, **span})
    tx.execute(NO_STATE, {"nothing": b"\xc0"})
    tx.execute(text("DELETE FROM checkpoint WHERE step IN ('hours', 'motion')"))
    for device_id in sorted({device_id for device_id, *_ in keys} - trackers):
        tx.execute(UNTRACKED, {"device_id": device_id})
        tx.execute(WAITS_NO_MORE, {"device_id": device_id})


def _trackers(tx: Connection) -> Iterator[int]:
    """Devices that were ever declared to be one."""
    rows = tx.execute(text("SELECT id, body FROM register_entry WHERE kind = 'devices'"))
    declared = {ident for ident, body in rows if json.loads(bytes(body)).get("tracker") is not None}
    for device_id, name, owner in tx.execute(DEVICES):
        if (name if owner is None else f"{owner}/{name}") in declared:
            yield device_id
