"""Custody: every asset's chain is whole, who has an asset is what its chain says, and nothing is promised twice."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

from sqlalchemy import Select, Table, select

from backend.book import bookings, custody
from backend.book.schema_custody import asset_booking, asset_transfer, custody_event
from backend.verify.folds import Seen
from models.assets.booking import Booking, Transfer
from models.assets.custody import Recorded, first_broken


def chains_hold(seen: Seen) -> tuple[str, list[str]]:
    """Each entry follows from the one before, and `asset_holder` stands where the last one left it."""
    chains: defaultdict[str, list[Recorded]] = defaultdict(list)
    rows = seen.tx.execute(select(custody_event).order_by(custody_event.c.asset, custody_event.c.seq))
    for row in rows:
        chains[row.asset].append(custody.recorded(row))
    wrong = [
        f"custody of {asset}: entry {broken} does not follow from the one before"
        for asset, chain in chains.items()
        if (broken := first_broken(chain)) is not None
    ]
    held = {asset: each.holder for asset, each in custody.holders(seen.tx).items()}
    said = {asset: holder for asset, chain in chains.items() if (holder := chain[-1].entry.holder) is not None}
    wrong += [
        f"custody of {asset}: {held.get(asset)} has it, its chain says {said.get(asset)}"
        for asset in sorted({*held, *said})
        if held.get(asset) != said.get(asset)
    ]
    return f"{sum(map(len, chains.values()))} entries of {len(chains)} assets", wrong


def promised_once(seen: Seen) -> tuple[str, list[str]]:
    """No open booking of an asset overlaps another, and no open transfer does."""
    wrong: list[str] = []
    rows = seen.tx.execute(_open(asset_booking))
    promised: list[list[Booking | Transfer]] = [[bookings.booking_of(row) for row in rows]]
    promised.append([bookings.transfer_of(row) for row in seen.tx.execute(_open(asset_transfer))])
    for each in promised:
        wrong += [
            f"{one.asset}: {one.id} and {two.id} overlap"
            for one, two in pairwise(each)
            if one.asset == two.asset and two.begin_at < one.end_at
        ]
    return f"{sum(map(len, promised))} open", wrong


def _open(table: Table) -> Select[Any]:
    return select(table).where(table.c.state == "open").order_by(table.c.asset, table.c.begin_at)
