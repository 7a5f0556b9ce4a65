"""The scan step: the scans of one scanner become receipts, issues, matches and refusals."""

import json
from collections.abc import Sequence
from functools import lru_cache

from backend.book.schema import scan_act
from backend.identities import workflow_of
from backend.step import Derived, Fact, Key, Step
from models import scan
from models.declared import Desk, Device, TagBinding
from models.reading import Reading, Scan
from models.register import Register
from models.scan import Labelled, ScanAct, Scanned, Session, Workflow
from models.stock.posting import movement_of_scan
from models.units import quantity_text


def _subject(_reading: Reading) -> str:
    return ""


def _desk(register: Register, key: Key, at: int) -> Desk | None:
    device = register.get("devices", key.device, at)
    return device.desk if isinstance(device, Device) else None


def _params(register: Register, key: Key, at: int) -> Workflow | None:
    desk = _desk(register, key, at)
    return None if desk is None else workflow_of(register, key.device, at)


def _depends_on(register: Register, key: Key) -> Sequence[int]:
    return _changes(register, key.device)


@lru_cache(maxsize=64)
def _changes(register: Register, device: str) -> Sequence[int]:
    kinds = ("items", "locations", "assets")
    changes = {entry.valid_from for (kind, _), dated in register.entries.items() if kind in kinds for entry in dated}
    return sorted({*changes, *register.changes("devices", device)})


def _fold(params: Workflow, state: Session | None, facts: Sequence[Fact]) -> tuple[Session | None, list[ScanAct]]:
    return scan.fold(params, state, [_scanned(fact) for fact in facts])


def _scanned(fact: Fact) -> Scanned:
    reading = fact.reading
    assert isinstance(reading, Scan)  # noqa: S101 - the step's kind
    return Scanned(fact.at, reading.data, reading.symbology, fact.content.hex())


def _last_desk(register: Register, key: Key, at: int) -> Desk | None:
    """The desk at a time or, where it was taken away, the one that there was: what it was used for still counts."""
    since = [each for each in register.changes("devices", key.device) if each <= at]
    return next((desk for each in reversed(since) if (desk := _desk(register, key, each)) is not None), None)


def _derive(register: Register, key: Key, act: ScanAct, seen_at: int) -> Derived:
    of = act.at if act.undone_at is None else act.undone_at
    desk = _last_desk(register, key, min(of, seen_at))
    movement = None if desk is None else movement_of_scan(act, desk.supplier, desk.customer)
    row = {
        "id": act.id,
        "device_id": key.device_id,
        "subject": key.subject,
        "device": key.device,
        "at": act.at,
        "closed_at": act.at,
        "action": act.action,
        "ok": act.ok,
        "text": _text(register, act, min(act.at, seen_at)),
        "sku": act.sku,
        "lot": act.lot,
        "serial": act.serial,
        "quantity": None if act.quantity is None else quantity_text(act.quantity),
        "location": act.location,
        "target": act.target,
        "parent": act.parent,
        "child": act.child,
        "epc": act.epc,
        "asset": act.asset,
        "badge": act.badge,
        "undoes": act.undoes,
        "expires": act.expires.isoformat() if isinstance(act, Labelled) and act.expires is not None else None,
        "evidence": json.dumps(act.evidence),
        "movement": None if movement is None else movement.id,
    }
    return Derived(SCAN.name, SCAN.table, act.id, act.at, seen_at, row, movement)


def _text(register: Register, act: ScanAct, at: int) -> str:
    """The act's text; of a tag that was on something else before `at`, what that was."""
    before = None if act.epc is None or act.action != "assign" else register.get("tags", act.epc, at - 1)
    if not isinstance(before, TagBinding) or (before.asset, before.sku) in {(act.asset, None), (None, act.sku)}:
        return act.text
    was = before.asset or before.sku
    return act.text if was is None else f"{act.text}; it was on {was}"[: scan.MAX_TEXT]


SCAN: Step[Workflow, Session, ScanAct] = Step(
    name="scan",
    kinds=("scan",),
    table=scan_act,
    subject=_subject,
    params=_params,
    depends_on=_depends_on,
    state=Session,
    fold=_fold,
    due=scan.due,
    expire=scan.expire,
    derive=_derive,
    goes_on=True,
)
