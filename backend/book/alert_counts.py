"""How many alerts each team was told of in every ten minutes, by rule: what its alarm rate is measured by."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book.schema_desk import alert_count
from models.alarm_rate import bucket_of

EVERYBODY = ""
_ADD = upsert(alert_count).values(told=1)
_ONE_MORE = _ADD.on_conflict_do_update(index_elements=["bucket", "team", "rule"], set_={"told": alert_count.c.told + 1})


def add(tx: Connection, rule: str, teams: Iterable[str], at: int) -> None:
    """One more alert, of these teams and in all."""
    for team in (EVERYBODY, *teams):
        tx.execute(_ONE_MORE, {"bucket": bucket_of(at), "team": team, "rule": rule})


def between(tx: Connection, since: int, until: int) -> list[Row[Any]]:
    """The counts of ten minutes that begin in a span of microseconds, in order."""
    table = alert_count.c
    where = (table.bucket >= bucket_of(since), table.bucket < bucket_of(until))
    return [*tx.execute(select(alert_count).where(*where).order_by(table.bucket, table.team, table.rule))]


def forget(tx: Connection, before: int) -> int:
    """Leave out counts of before a time; how many."""
    return tx.execute(delete(alert_count).where(alert_count.c.bucket < bucket_of(before))).rowcount
