"""Work orders: what they used is in the ledger and the other way round, their lives can be, costs are their sum."""

from collections import Counter, defaultdict
from decimal import Decimal

from sqlalchemy import select

from backend.book import ledger, work_issues, work_sums
from backend.book.schema_work import work_move, work_order, work_part, work_step
from backend.verify.folds import Seen
from models.maintenance.work_order import OPEN, State, first_broken
from models.stock.ledger import net


def parts_posted(seen: Seen) -> tuple[str, list[str]]:
    """Each issue and return that stands has its movement of so much of the part, and each such movement its line."""
    moves = seen.tx.execute(select(work_move).order_by(work_move.c.n)).all()
    parts = {(row.order_id, row.id): row for row in seen.tx.execute(select(work_part))}
    standing = work_issues.standing(moves)
    named = {row.movement: row for row in standing if row.movement is not None}
    holding = {
        each.id: each
        for each in net(entry.movement for entry in ledger.entries_of(seen.tx))
        if any(text.startswith("work_order:") for text in each.evidence)
    }
    wrong = [
        f"work order {row.order_id}: movement {ident} does not hold"
        for ident, row in named.items()
        if ident not in holding
    ]
    wrong += [f"movement {ident}: no line of a work order" for ident in holding if ident not in named]
    for ident, moved in holding.items():
        row = named.get(ident)
        part = None if row is None else parts.get((row.order_id, row.part_id))
        if row is not None and (part is None or (part.sku, abs(Decimal(row.quantity))) != (moved.sku, moved.quantity)):
            wrong.append(f"work order {row.order_id}: movement {ident} is of {moved.quantity} {moved.sku}")
    out: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in standing:
        out[row.order_id, row.part_id] += Decimal(row.quantity)
    wrong += [
        f"work order {order}: {row.issued} of part {part} are out, its moves say {out[order, part]}"
        for (order, part), row in parts.items()
        if Decimal(row.issued) != out[order, part]
    ]
    return f"{len(moves)} moves of parts", wrong


def one_open_order(seen: Seen) -> tuple[str, list[str]]:
    """At most one open work order of an asset and plan; and the costs of what is done are the sum of its lines."""
    rows = seen.tx.execute(select(work_order)).all()
    waiting = Counter((row.asset, row.plan) for row in rows if row.plan is not None and row.state in OPEN)
    wrong = [f"{plan} of {asset}: {count} open work orders" for (asset, plan), count in waiting.items() if count > 1]
    wrong += [
        f"work order {row.id}: its costs are not the sum of its lines"
        for row in rows
        if row.costs is not None and work_sums.thaw(row.costs) != work_sums.costs(seen.tx, row.id)
    ]
    return f"{len(rows)} work orders", wrong


def lives_legal(seen: Seen) -> tuple[str, list[str]]:
    """Every work order stands where the last step of its life left it, and every step could follow the one before."""
    lives: defaultdict[str, list[tuple[str, State]]] = defaultdict(list)
    for row in seen.tx.execute(select(work_step).order_by(work_step.c.n)):
        lives[row.order_id].append((row.what, row.state))
    states = {row.id: row.state for row in seen.tx.execute(select(work_order.c.id, work_order.c.state))}
    wrong = [f"work order {ident}: a life without the order" for ident in sorted({*lives} - {*states})]
    for ident, state in states.items():
        broken = first_broken(lives[ident])
        if broken is not None:
            wrong.append(f"work order {ident}: {broken}")
        elif lives[ident][-1][1] != state:
            wrong.append(f"work order {ident}: {state}, the last step of its life says {lives[ident][-1][1]}")
    return f"{sum(map(len, lives.values()))} steps of {len(states)} work orders", wrong
