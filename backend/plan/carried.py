"""An asset that moves with its engine off: somebody tows it, or takes it away. Told once for each time, as news."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import select

from backend.book import alerts, places, schema
from backend.plan.news import LATE_US, NEWS_US, Times, detail, heard, name_of, newest, told_at
from backend.plan.rule import Rule, View
from models.alert import Alert
from models.units import quantity_text

NAME = "transported"
MM_A_M = 1000


class Carried(Struct, frozen=True):
    """A transport that goes on, or is over."""

    asset: str
    name: str
    times: Times
    distance_mm: int
    transport: str

    @property
    def subject(self) -> str:
        return f"asset:{self.asset}/{NAME}"


def load_transports(view: View, assets: Sequence[str]) -> list[tuple[str, Carried]]:
    """The newest transport of each of these assets that is news."""
    here = [*places.told(view.tx, view.register, assets)]
    times = newest([(each.state.asset, min(each.state.last_at, view.now)) for each in here])
    known = [*_over(view, times)]
    for each in here:
        going = places.going_on(each.state)
        if going is not None and going.what == NAME:
            moment = _times(view, each.device_id, (going.begin_at, going.end_at), times[going.asset])
            name = name_of(view, going.asset)
            known.append(Carried(going.asset, name, moment, going.distance_mm, going.id))
    found = {each.subject: each for each in sorted(known, key=lambda each: each.times.at) if each.times.is_news}
    said = alerts.last_details(view.tx, NAME, found)
    return [
        (subject, replace(each, times=replace(each.times, told_at=told_at(said.get(subject)))))
        for subject, each in found.items()
    ]


def transported(facts: Carried, _now: int) -> Alert | None:
    """What was received late, or is older than what is known, is a row and raises nothing."""
    if not facts.times.is_news:
        return None
    km = quantity_text(Decimal(facts.distance_mm // MM_A_M) / 1000)
    figures: dict[str, object] = {"asset": facts.asset, "distance_km": km, "transport": facts.transport}
    title = f"{facts.name} moves with its engine off"
    return Alert(NAME, facts.subject, "warning", title, detail(facts.times, figures))


def _over(view: View, times: Mapping[str, int]) -> Iterator[Carried]:
    """Transports that ended lately."""
    table = schema.travel.c
    over = (table.asset.in_(times), table.what == NAME, table.end_at >= view.now - NEWS_US)
    for row in view.tx.execute(select(schema.travel).where(*over)):
        if row.closed_at >= times[row.asset] - LATE_US:
            moment = _times(view, row.device_id, (row.begin_at, row.end_at), times[row.asset])
            yield Carried(row.asset, name_of(view, row.asset), moment, row.distance_mm, row.id)


def _times(view: View, device_id: int, span: tuple[int, int], newest_at: int) -> Times:
    """A move is sure at its last fix, or at the one after that: where they come once an hour, it is known only then."""
    begin_at, end_at = span
    last, after = (Times(begin_at, *heard(view, device_id, at, "fix"), newest_at) for at in (end_at, end_at + 1))
    is_live = last.received_at - last.at <= LATE_US
    return after if is_live and not last.is_news else last


TRANSPORTED = Rule(NAME, "asset", load_transports, transported, is_state=False)
