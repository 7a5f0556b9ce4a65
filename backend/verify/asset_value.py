"""The value of assets: a chained ledger that balances, and says of every month that is over what is known of it.

An asset whose mark says that it is still to be posted is left out, and so is one that the register named since.
"""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from backend.asset_valuer import dues
from backend.book import asset_facts, asset_ledger, asset_marks
from backend.book.asset_marks import MONTH, REGISTER
from backend.book.schema import ledger_head, register_entry
from backend.book.schema_value import asset_value_mark
from backend.verify.folds import Seen
from models.assets.accounts import ACCUMULATED, CHART, COST, balance, journal
from models.assets.posting import Posting, by_month, differences, first_broken
from models.assets.value import standing
from models.chain import GENESIS
from models.months import begin_of, first_of, month_text

ZERO = Decimal(0)


def postings_stand(seen: Seen) -> tuple[str, list[str]]:
    """Postings are chained, and debit is credit in each."""
    found = asset_ledger.postings(seen.tx)
    head = seen.tx.execute(select(ledger_head).where(ledger_head.c.ledger == asset_ledger.ASSETS)).one_or_none()
    broken, n, last = first_broken(found)
    wrong = [f"asset posting {broken}: its hash does not follow from {broken - 1}"] if broken is not None else []
    if broken is None and (n, last) != ((0, GENESIS) if head is None else (head.n, bytes(head.hash))):
        wrong.append(f"the head is not asset posting {n}")
    for posting, _ in found:
        sides = balance(line for each in posting.lines for line in journal(each.flow, each.amount))
        if sum(sides.values()) or not sides.keys() <= CHART.keys():
            wrong.append(f"asset posting {posting.n}: debit and credit differ")
    return f"{len(found)} postings", wrong


def values_due(seen: Seen) -> tuple[str, list[str]]:
    """What is posted of each asset is what is known, and its accounts come to its line of the register."""
    tx, month = seen.tx, asset_marks.position(seen.tx, MONTH)
    if not month:
        return "nobody has looked at them yet", []
    now = begin_of(month + 1) - 1
    waiting = _waiting(seen)
    assets = {*asset_facts.valued(seen.register, now)} - waiting
    due, facts = dues(tx, seen.register, assets, now), asset_facts.facts(tx, seen.register, assets, now)
    posted = asset_ledger.of_assets(tx, assets)
    wrong: list[str] = []
    total = ZERO
    for asset in sorted(assets):
        behind = [each for each in posted[asset] if each.origin < month]
        told = differences(asset, {k: of for k, of in due[asset].flows.items() if k < month}, by_month(behind), None)
        wrong += [f"{asset} {month_text(each.origin)}: {dict(each.flows)} is not posted" for each in told]
        stand = standing(facts[asset], first_of(month) - timedelta(days=1), due[asset].use.used)
        accounts = _accounts(behind)
        lines = (stand.gross + stand.additions, -stand.accumulated)
        if (accounts.get(COST, ZERO), accounts.get(ACCUMULATED, ZERO)) != lines:
            wrong.append(f"{asset}: worth {stand.book_value}, its accounts come to {sum(accounts.values(), ZERO)}")
        total += stand.book_value
    return f"{len(assets)} assets, book value {total}, {len(waiting)} still to be posted", wrong


def _accounts(postings: list[Posting]) -> dict[str, Decimal]:
    lines = (line for posting in postings for each in posting.lines for line in journal(each.flow, each.amount))
    return {account: amount for account, amount in balance(lines).items() if account in {COST, ACCUMULATED}}


def _waiting(seen: Seen) -> set[str]:
    after = asset_marks.position(seen.tx, REGISTER)
    rows = seen.tx.execute(select(register_entry.c.kind, register_entry.c.id).where(register_entry.c.n > after)).all()
    named = {row.id for row in rows if row.kind == "assets"}
    if any(row.kind == "classes" for row in rows):
        named |= {ident for kind, ident in seen.register.entries if kind == "assets"}
    return named | {*seen.tx.scalars(select(asset_value_mark.c.asset))}
