"""Physical audits of assets by radio, in the book: a place, passes with what they heard, an end, and a decision.

What an audit found is a function of the readings and the register, asked anew each time, until another person than who
made it approves it: then it says where those assets are, and which are not where they should be.
"""

import json
from collections import Counter
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from backend.asset_tags import asset_of, tags_of
from backend.book import bookings, events, locks, relocations, sweeps
from backend.book.schema_custody import asset_audit as table
from backend.book.schema_custody import audit_pass, audit_stay
from backend.book.sweeps import Pass
from backend.book.work_log import Stamp
from models import epc
from models.assets.asset import GONE
from models.assets.audit import PRESENT, Audit, Audited, Verdict, accuracy, check_says_something, judge
from models.assets.place import where
from models.declared import Asset, Device
from models.errors import BadCode, Clash, NotFound, Refused
from models.register import Register
from models.units import quantity_text

Outcome = Literal["created", "same"]


class Found(NamedTuple):
    """One asset, or a tag of one that is not registered: the verdict, where it was known to be, how often it was heard.

    What carries no tag is never missing: nobody can hear it.
    """

    asset: str | None
    epcs: list[str]
    verdict: Verdict
    known: str | None
    passes: int
    needed: int


class Findings(NamedTuple):
    """All of an audit; `others` are tags that are no asset's. Without any tag it says nothing."""

    passes: int
    reads: int
    others: int
    found: list[Found]
    accuracy: Decimal | None


def open_audit(tx: Connection, register: Register, asked: Audit, stamp: Stamp) -> Outcome:
    """Begin an audit. Again is harmless. Raises Refused for a place or reader that is not known, or Clash."""
    locks.number(tx)
    row = tx.execute(select(table).where(table.c.id == asked.id)).one_or_none()
    if row is not None:
        if of_row(row) != asked:
            msg = f"audit {asked.id}: it is there with other content"
            raise Clash(msg)
        return "same"
    bookings.check_place(register, "place", asked.place, stamp.now)
    if asked.device is not None and not isinstance(register.get("devices", asked.device, stamp.now), Device):
        msg = f"device: one of the devices of the register expected, got {asked.device!r}"
        raise Refused(msg)
    rates = json.dumps({name: quantity_text(rate) for name, rate in sorted(asked.read_rates.items())})
    values = {"id": asked.id, "place": asked.place, "device": asked.device, "begin_at": asked.at, "state": "open"}
    tx.execute(insert(table).values(**values, read_rates=rates, actor=stamp.actor, recorded_at=stamp.now))
    _tell(tx, asked.id, "opened", stamp)
    return "created"


def put_pass(tx: Connection, ident: str, n: int, heard: Pass, stamp: Stamp) -> Outcome:
    """One pass. Again is harmless. Raises NotFound, Refused of a span that cannot be, or Clash."""
    locks.number(tx)
    if (known := passes(tx, ident).get(n)) is not None:
        if known != heard:
            msg = f"audit {ident}: pass {n} is there with other content"
            raise Clash(msg)
        return "same"
    row = in_state(tx, ident, "open")
    if not row.begin_at <= heard.begin_at <= heard.end_at <= stamp.now:
        msg = "begin, end: a span since the audit began, and not one to come, expected"
        raise Refused(msg)
    if heard.epcs is None and row.device is None:
        msg = "epcs: expected, as the audit names no reader"
        raise Refused(msg)
    texts = None if heard.epcs is None else json.dumps(heard.epcs)
    own = {"audit_id": ident, "pass": n, "begin_at": heard.begin_at, "end_at": heard.end_at, "epcs": texts}
    tx.execute(insert(audit_pass).values(**own, actor=stamp.actor, recorded_at=stamp.now))
    return "created"


def close(tx: Connection, ident: str, stamp: Stamp) -> None:
    """The audit ends now. Again is harmless. One by a reader without passes is one pass. Raises NotFound or Clash."""
    locks.number(tx)
    row = in_state(tx, ident, "open", "closed")
    if row.state == "closed":
        return
    if row.device is not None and not passes(tx, ident):
        put_pass(tx, ident, 1, Pass(row.begin_at, stamp.now, None), stamp)
    tx.execute(update(table).where(table.c.id == ident).values(state="closed", end_at=stamp.now))
    _tell(tx, ident, "closed", stamp)


def reject(
    tx: Connection, ident: str, state: Literal["rejected", "cancelled"], reason: str | None, stamp: Stamp
) -> None:
    """It says nothing. Again is harmless. Raises NotFound, or Clash if it was decided otherwise."""
    locks.number(tx)
    if in_state(tx, ident, "open", "closed", state).state != state:
        _decide(tx, ident, state, reason, stamp)


def approve(tx: Connection, register: Register, ident: str, reason: str | None, stamp: Stamp) -> None:
    """What it found is where those assets are. Again is harmless.

    Raises Refused of an audit that heard nothing, or of who made it; Clash if it is not closed.
    """
    locks.number(tx)
    row = in_state(tx, ident, "closed", "approved")
    if row.state == "approved":
        return
    made = select(audit_pass.c.actor).where(audit_pass.c.audit_id == ident)
    if stamp.actor in {row.actor, *tx.scalars(made)}:
        msg = f"by: another than who made the audit expected, got {stamp.actor!r}"
        raise Refused(msg)
    told = findings(tx, register, row, stamp.now)
    check_says_something(ident, told.reads)
    for each in told.found:
        if each.asset is not None and (each.verdict in PRESENT or each.verdict == "missing"):
            is_there = each.verdict in PRESENT
            place = _at(row, each) if is_there else each.known
            values = {"audit_id": ident, "asset": each.asset, "at": row.end_at, "what": "seen" if is_there else "left"}
            evidence = json.dumps(each.epcs)
            tx.execute(insert(audit_stay).values(**values, place=place, verdict=each.verdict, evidence=evidence))
            events.changed(tx, f"asset:{each.asset}", stamp.now)
    _decide(tx, ident, "approved", reason, stamp)


def _at(row: Row[Any], each: Found) -> str:
    """A found asset stays where in the place it was; another is at the place as a whole."""
    if each.verdict == "found" and each.known is not None:
        return each.known
    return str(row.place)


def findings(tx: Connection, register: Register, row: Row[Any], now: int) -> Findings:
    """What an audit found; of one that is open, up to now."""
    audit, done = of_row(row), passes(tx, row.id)
    scope = relocations.places_of(register, audit.place, audit.at)
    end_at = now if row.end_at is None else row.end_at
    heard = Counter(tag for each in done.values() for tag in _heard(tx, register, (audit, scope), each))
    owners = {tag: asset_of(register, tag, end_at) for tag in sorted(heard)}
    tags: dict[str, list[str]] = {}
    for tag, asset in owners.items():
        if asset is not None:
            tags.setdefault(asset, []).append(tag)
    expected = {ident for ident, kept in relocations.kept(tx).items() if kept.place in scope}
    expected |= _moved_since(tx, row.begin_at)
    found: list[Found] = []
    for asset in sorted({*tags, *expected}):
        each = _judged(tx, register, (audit, scope, end_at, len(done)), asset, (tags.get(asset, []), heard))
        found += [] if each is None else [each]
    strangers = [tag for tag, asset in owners.items() if asset is None and _is_coded(tag)]
    found += [Found(None, [tag], "unknown", None, heard[tag], 1) for tag in strangers]
    others = len(owners) - len(strangers) - sum(map(len, tags.values()))
    return Findings(len(done), heard.total(), others, found, accuracy(each.verdict for each in found))


def _judged(
    tx: Connection,
    register: Register,
    over: tuple[Audit, set[str], int, int],
    asset: str,
    heard: tuple[list[str], Counter[str]],
) -> Found | None:
    audit, scope, end_at, done = over
    tags, counts = heard
    body = register.get("assets", asset, end_at)
    known = relocations.without(tx, register, asset, (audit.at, end_at), f"audit:{audit.id}")
    begin, end = where(known, audit.at), where(known, end_at)
    places = (None if begin is None else begin.place, None if end is None else end.place)
    is_gone = isinstance(body, Asset) and body.state in GONE
    needs = audit.needed(body.category if isinstance(body, Asset) else None)
    verdict = judge(Audited(*places, bool(tags), is_gone), scope, done, needs)
    if verdict is None:
        return None
    if verdict == "missing" and not tags_of(register, asset):
        verdict = "unseen"
    passes_heard = max((counts[tag] for tag in tags), default=0)
    return Found(asset, tags, verdict, places[1] or places[0], passes_heard, needs)


def _moved_since(tx: Connection, at: int) -> set[str]:
    """Assets that may have been elsewhere when the audit began: they came or went since."""
    return {ident for ident, kept in relocations.kept(tx).items() if kept.since >= at}


def _is_coded(tag: str) -> bool:
    try:
        return epc.decode(tag).scheme in {"giai", "grai"}
    except BadCode:
        return False


def _heard(tx: Connection, register: Register, what: tuple[Audit, set[str]], each: Pass) -> set[str]:
    """The tags of one pass: of a reader that looks at several places, those of the antennas that look at these."""
    audit, scope = what
    if each.epcs is not None or audit.device is None:
        return {tag.lower() for tag in each.epcs or ()}
    body = register.get("devices", audit.device, each.begin_at)
    points = body.points.places if isinstance(body, Device) and body.points is not None else []
    antennas = {antenna for point in points if f"location:{point.place}" in scope for antenna in point.antennas}
    return sweeps.heard_by(tx, audit.device, (each.begin_at, each.end_at), antennas or None)


def begun(tx: Connection, ident: str) -> int | None:
    """When it began, or None of no such audit."""
    return tx.scalar(select(table.c.begin_at).where(table.c.id == ident))


def in_state(tx: Connection, ident: str, *states: str) -> Row[Any]:
    """The audit's row, if it is in one of these states, or in any. Raises NotFound or Clash."""
    row = tx.execute(select(table).where(table.c.id == ident)).one_or_none()
    if row is None:
        msg = f"audits: nothing of id {ident!r}"
        raise NotFound(msg)
    if states and row.state not in states:
        msg = f"audit {ident}: {' or '.join(states)} expected, it is {row.state}"
        raise Clash(msg)
    return row


def of_row(row: Row[Any]) -> Audit:
    """An audit from its row."""
    rates = {name: Decimal(text) for name, text in json.loads(row.read_rates).items()}
    return Audit(id=row.id, place=row.place, device=row.device, read_rates=rates, at=row.begin_at)


def passes(tx: Connection, ident: str) -> dict[int, Pass]:
    """The passes by number."""
    rows = tx.execute(select(audit_pass).where(audit_pass.c.audit_id == ident).order_by(audit_pass.c["pass"]))
    return {
        row["pass"]: Pass(row["begin_at"], row["end_at"], None if row["epcs"] is None else json.loads(row["epcs"]))
        for row in rows.mappings()
    }


def _decide(tx: Connection, ident: str, state: str, reason: str | None, stamp: Stamp) -> None:
    values = {"state": state, "decided_by": stamp.actor, "decided_at": stamp.now, "reason": reason}
    tx.execute(update(table).where(table.c.id == ident).values(values))
    _tell(tx, ident, state, stamp)


def _tell(tx: Connection, ident: str, what: str, stamp: Stamp) -> None:
    events.emit(tx, "audit", {"id": ident, "what": what, "by": stamp.actor}, stamp.now)
