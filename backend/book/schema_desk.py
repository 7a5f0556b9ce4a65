"""Tables of who is told of what: how far alerts have escalated, what is shelved, messages, counts, and calendars."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from backend.book.schema import Big, metadata

alert_desk = Table(
    "alert_desk",
    metadata,
    Column("alert_id", String(36), primary_key=True),
    Column("assignee", String(64)),
    Column("level", Integer, nullable=False, comment="the last that was told of it since it opened"),
    Column("escalate_at", Big, comment="when the next one is, if nobody has answered"),
    Column("shelf", String(64), comment="the shelf that it sleeps on"),
    Index("ix_alert_desk_escalate_at", "escalate_at"),
)
shelf = Table(
    "shelf",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("rules", Text, nullable=False, comment="JSON list; empty: all"),
    Column("subjects", Text, nullable=False, comment="JSON list; empty: all"),
    Column("most", String(16), nullable=False, comment="the gravest that it keeps quiet"),
    Column("reason", Text, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("begun_at", Big, nullable=False),
    Column("until", Big, nullable=False),
    Column("ended_at", Big, comment="before its time"),
    Column("ended_by", String(64)),
    Index("ix_shelf_until", "until"),
)
message = Table(
    "message",
    metadata,
    Column("n", Big, primary_key=True),
    Column("id", String(36), nullable=False, unique=True, comment="Message-ID or webhook-id: the same over all tries"),
    Column("alert_id", String(36), nullable=False, comment="empty: a digest"),
    Column("step", String(100), nullable=False, comment="what it tells of the alert, or which digest it is"),
    Column("channel", String(16), nullable=False, comment="mail, webhook"),
    Column("recipient", String(254), nullable=False, comment="address, or name of the webhook"),
    Column("contact", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("made_at", Big, nullable=False),
    Column("state", String(16), nullable=False, comment="waiting, delivered, dead, dropped, handed (to the webhook)"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", Big, nullable=False, comment="when it is tried next"),
    Column("done_at", Big),
    Column("code", Integer, comment="of the server's last answer"),
    Column("problem", Text, comment="of the last try"),
    UniqueConstraint("alert_id", "step", "channel", "recipient"),
    Index("ix_message_due", "state", "due_at"),
    sqlite_autoincrement=True,
)
desk_mark = Table(
    "desk_mark",
    metadata,
    Column("name", String(80), primary_key=True, comment="events, or digest: and a team"),
    Column("upto", Big, nullable=False, comment="n of the last alert_event that was looked at; or time of a digest"),
)
alert_count = Table(
    "alert_count",
    metadata,
    Column("bucket", Big, primary_key=True, comment="number of the ten minutes since 1970"),
    Column("team", String(64), primary_key=True, comment="empty: whoever it was"),
    Column("rule", String(64), primary_key=True),
    Column("told", Integer, nullable=False),
)
calendar_entry = Table(
    "calendar_entry",
    metadata,
    Column("uid", String(36), primary_key=True),
    Column("asset", String(64), nullable=False),
    Column("plan", String(64)),
    Column("occurrence", Integer),
    Column("team", String(64)),
    Column("begin", String(10), nullable=False, comment="the first day, as YYYY-MM-DD"),
    Column("end", String(10), nullable=False, comment="the last day"),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    Column("sequence", Integer, nullable=False, comment="how often it has changed"),
    Column("changed_at", Big, nullable=False),
    Index("ix_calendar_entry_asset", "asset"),
)
