"""The books: ledger, balances, evidence, and what must be there once."""

import json
from collections import Counter
from decimal import Decimal

from sqlalchemy import func, select

from backend.apply import STEPS
from backend.book import ledger
from backend.book.journal import short
from backend.book.schema import (
    alert,
    alert_event,
    alert_snooze,
    balance,
    crossing,
    journal,
    ledger_head,
    movement,
    proposal,
    scan_act,
)
from backend.book.schema_contents import content_move
from backend.post import ACTOR
from backend.verify import seals
from backend.verify.folds import Seen
from models.chain import GENESIS
from models.stock.ledger import BadMovement, balances, entry_hash, net
from models.units import quantity_text


def ledger_chain(seen: Seen) -> tuple[str, list[str]]:
    """The stock ledger's numbers and hashes follow each other, up to the head."""
    tx = seen.tx
    head = tx.execute(select(ledger_head).where(ledger_head.c.ledger == ledger.STOCK)).one_or_none()
    n, last = 0, GENESIS
    for entry in ledger.entries_of(tx):
        n += 1
        if entry.n != n or entry_hash(last, n, entry.recorded_at, entry.movement) != entry.hash:
            return f"{n} entries", [f"entry {entry.n}: its hash does not follow from entry {n - 1}"]
        last = entry.hash
    expected = (0, GENESIS) if head is None else (head.n, bytes(head.hash))
    return f"{n} entries", [] if (n, last) == expected else [f"the head is {expected[0]}, the ledger ends at {n}"]


def balances_replayed(seen: Seen) -> tuple[str, list[str]]:
    """Every balance is the sum of the ledger, and all locations together are zero."""
    tx = seen.tx
    summed = balances(entry.movement for entry in ledger.entries_of(tx))
    stored = {
        (row.location, row.sku, row.lot or None): Decimal(row.on_hand)
        for row in tx.execute(select(balance))
        if Decimal(row.on_hand)
    }
    places = sorted({*summed, *stored}, key=str)
    wrong: list[str] = []
    for key in places:
        kept, due = stored.get(key, Decimal()), summed.get(key, Decimal())
        if kept != due:
            wrong.append(f"{key[1]} at {key[0]}: balance {quantity_text(kept)}, ledger {quantity_text(due)}")
    return f"{len(stored)} balances", wrong


def evidence_stands(seen: Seen) -> tuple[str, list[str]]:
    """Every movement of a door or scan that holds has its derived row, and every row its movement, once."""
    tx = seen.tx
    movements = [entry.movement for entry in ledger.entries_of(tx)]
    try:
        holding = {m.id: m for m in net(movements)}
    except BadMovement as error:
        return f"{len(movements)} entries", [str(error)]
    rows = [
        (row.id, row.movement)
        for table in (crossing, scan_act)
        for row in tx.execute(select(table.c.id, table.c.movement).where(table.c.movement.is_not(None)))
    ]
    rows += [(row.crossing, row.movement) for row in tx.execute(select(content_move))]
    posted = Counter(moved for _, moved in rows)
    wrong = [f"row {ident}: its movement does not hold" for ident, moved in rows if moved not in holding]
    wrong += [f"movement {ident}: {times} rows" for ident, times in posted.items() if times > 1]
    own = set(tx.scalars(select(movement.c.id).where(movement.c.actor == ACTOR)))
    wrong += [f"movement {ident}: no derived row" for ident in holding if ident in own and ident not in posted]
    return f"{len(rows)} rows, {len(holding)} movements hold", wrong


def readings_behind(seen: Seen) -> tuple[str, list[str]]:
    """Every reading that a derived row names as evidence is in the journal, or was sealed and is gone."""
    tx = seen.tx
    named: dict[int, tuple[str, seals.Named]] = {}
    for table, begin in seals.BEGINS.items():
        for row in tx.execute(select(table.c.id, table.c.device_id, begin.label("begin"), table.c.evidence)):
            for content in json.loads(row.evidence):
                named[short(bytes.fromhex(content))] = (row.id, seals.Named(row.device_id, row.begin, content))
    have = set(
        tx.scalars(select(journal.c.content).where(journal.c.kind.in_([kind for step in STEPS for kind in step.kinds])))
    )
    missing = [of for content, of in named.items() if content not in have]
    lost = [ident for ident, reading in missing if not seals.is_sealed(seen, reading)]
    gone = f", {len(missing) - len(lost)} of them sealed" if len(missing) > len(lost) else ""
    return f"{len(named)} readings named{gone}", [f"row {ident}: a reading it names is not there" for ident in lost]


def stock_or_asset(seen: Seen) -> tuple[str, list[str]]:
    """A tag is at one moment stock or an asset, never both."""
    tx = seen.tx
    query = select(crossing.c.id, crossing.c.sku, crossing.c.asset, crossing.c.kind, crossing.c.movement)
    rows = tx.execute(query).all()
    wrong = [
        f"crossing {row.id} is both"
        for row in rows
        if (row.sku is not None and row.asset is not None) or (row.kind != "stock" and row.movement is not None)
    ]
    return f"{len(rows)} crossings", wrong


def one_open(seen: Seen) -> tuple[str, list[str]]:
    """At most one open alert per (rule, subject), one open proposal per SKU."""
    tx = seen.tx
    open_alerts = select(alert.c.rule, alert.c.subject, func.count()).where(alert.c.state != "closed")
    alerts = tx.execute(open_alerts.group_by(alert.c.rule, alert.c.subject)).all()
    open_proposals = select(proposal.c.sku, func.count()).where(proposal.c.state == "open").group_by(proposal.c.sku)
    wrong = [f"{rule} of {subject}: {count} open alerts" for rule, subject, count in alerts if count > 1]
    wrong += [f"{sku}: {count} open proposals" for sku, count in tx.execute(open_proposals) if count > 1]
    return f"{len(alerts)} open alerts", wrong


LIFE = {
    "raised": "open",
    "reopened": "open",
    "acknowledged": "acknowledged",
    "snoozed": "snoozed",
    "shelved": "snoozed",
    "woken": "open",
    "unshelved": "open",
    "closed": "closed",
}
"""What an alert is after each step of its life; `said again`, `assigned` and `escalated` change nothing."""


def alert_histories(seen: Seen) -> tuple[str, list[str]]:
    """Every alert was raised once and stands where the last step of its life left it; one that sleeps has its time."""
    tx = seen.tx
    lives: dict[str, list[str]] = {ident: [] for ident in tx.scalars(select(alert.c.id))}
    steps = tx.execute(select(alert_event.c.alert_id, alert_event.c.what).order_by(alert_event.c.n)).all()
    orphans = {ident for ident, _ in steps} - lives.keys()
    wrong = [f"alert {ident}: a life without the alert" for ident in sorted(orphans)]
    for ident, what in steps:
        if ident in lives and what in LIFE:
            lives[ident].append(what)
    asleep = set(tx.scalars(select(alert_snooze.c.alert_id)))
    wrong += [f"alert {ident}: a snooze without the alert" for ident in sorted(asleep - lives.keys())]
    for row in tx.execute(select(alert.c.id, alert.c.rule, alert.c.subject, alert.c.state)):
        if (row.state == "snoozed") != (row.id in asleep):
            wrong.append(f"{row.rule} of {row.subject}: {row.state}, {'' if row.id in asleep else 'not '}to be woken")
        life = lives[row.id]
        if not life or life[0] != "raised" or life.count("raised") != 1 or LIFE[life[-1]] != row.state:
            told = ", ".join(life) or "nothing"
            wrong.append(f"{row.rule} of {row.subject}: {row.state}, its recorded life is {told}")
    return f"{len(steps)} steps of {len(lives)} alerts", wrong
