"""What follows from derived rows: the rows themselves, their ledger entries, domain events, the planner's subjects."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Table, delete, insert

from backend import contents
from backend.asset_tags import asset_of
from backend.book import bindings, events, labels, ledger, locks
from backend.book import register as declared
from backend.book.bulk import write_rows
from backend.book.schema import crossing, presence, scan_act
from backend.dock_verdict import settle
from backend.step import Change, Derived, Old
from models.register import Register

ACTOR = "deriver"
LATE_US = 300_000_000
IDS_A_QUERY = 5000
EVENTS = {"dock": "crossing", "scan": "scan", "motion": "visit"}
"""What others are told of a step's rows; hours, distance, trips and stops are figures, which are asked for."""
TOLD = {"visit", None}
TAGS_OF = {"dock", "presence"}
"""Steps whose subject is a tag: the planner looks at it again."""
NUMBERED = {crossing, scan_act}
"""Lists of these are followed by `n`."""
TAKEN_BACK = {crossing: EVENTS["dock"], scan_act: EVENTS["scan"]}
"""What others are told, too, of rows that later readings took back."""


def replace(tx: Connection, register: Register, change: Change, now: int) -> None:
    """Take back old rows and write new ones, verdicts of doors settled; the ledger gets only the difference."""
    settled = settle(tx, register, change)
    new, old = _differing(settled)
    differing: list[Derived | Old] = [*new, *old]
    by_table: dict[Table, list[dict[str, Any]]] = defaultdict(list)
    if NUMBERED & ({each.table for each in settled.new} | {each.table for each in old}):
        locks.number(tx)  # from here on nobody else changes what contents of pallets rest on
    for each in new:
        by_table[each.table].append(each.stored)
    for table in {each.table: None for each in old}:
        ids = [each.id for each in old if each.table is table]
        for low in range(0, len(ids), IDS_A_QUERY):
            tx.execute(delete(table).where(table.c.id.in_(ids[low : low + IDS_A_QUERY])))
    for table, rows in by_table.items():
        write_rows(tx, insert(table), rows)
    on_pallets = contents.follow(tx, register, settled, differing)
    wanted = [*(each.movement for each in new if each.movement is not None), *on_pallets.wanted]
    keep = {movement.id for movement in wanted}
    withdrawn = {each.movement for each in old if each.movement is not None and each.movement not in keep}
    ledger.post(tx, wanted, withdrawn | on_pallets.withdrawn, ACTOR, now)
    acts = [each.row for each in new if each.table is scan_act] + [each.row for each in old if each.table is scan_act]
    bindings.follow(tx, bindings.tags_of(acts), now)
    declared.follow_labels(tx, labels.lots_of(acts), now)
    stay = {each.id for each in new}
    gone = [(TAKEN_BACK[each.table], each.id) for each in old if each.table in TAKEN_BACK and each.id not in stay]
    events.emit_all(tx, [(kind, {"id": ident, "withdrawn": True}) for kind, ident in gone], now)
    told = [each for each in new if each.step in EVENTS and each.row.get("what") in TOLD]
    events.emit_all(tx, [(EVENTS[each.step], {**each.row, "late": is_late(each, now)}) for each in told], now)
    events.changed_all(tx, [f"tag:{each.row['subject']}" for each in new if each.step in TAGS_OF], now)
    about = [(asset, each) for each in differing if (asset := _asset(register, each)) is not None]
    events.stir(tx, {asset for asset, _ in about}, now)
    events.hurry(tx, {asset for asset, each in about if each.table is crossing or each.row.get("what") == "visit"}, now)


def _asset(register: Register, each: Derived | Old) -> str | None:
    """The asset that a row is about, also one that is taken back."""
    row = each.row
    if each.table is presence:
        return asset_of(register, row["subject"], row["closed_at"])
    return row.get("asset")


def _differing(change: Change) -> tuple[list[Derived], list[Old]]:
    """Without the rows that come out as they are."""
    before = {each.id: each.row for each in change.old}
    same = {each.id for each in change.new if before.get(each.id) == each.stored}
    return [each for each in change.new if each.id not in same], [each for each in change.old if each.id not in same]


def is_late(derived: Derived, now: int) -> bool:
    """Whether it became known more than five minutes after it was: then it raises no alert about a moment."""
    return derived.closed_at < now - LATE_US
