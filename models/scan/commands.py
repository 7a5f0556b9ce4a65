"""What own codes do: one function per command, and the table that names them."""

import re
from collections.abc import Callable, Mapping
from functools import partial

from msgspec.structs import replace

from models.scan import goods, tagging
from models.scan.desk import Desk, short
from models.scan.session import Mode, Scanned

_BADGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _mode(mode: Mode, desk: Desk, scan: Scanned, _argument: str) -> None:
    """What the following scans are; what was not whole is given up."""
    goods.give_up(desk, scan.at)
    desk.set(mode=mode, mode_by=scan.evidence, source=None, source_by=None, pallet=None, pallet_by=None)


def _confirm(desk: Desk, scan: Scanned, _argument: str) -> None:
    """What waits for its quantity acts; a pallet is done."""
    goods.settle(desk, scan.at)
    waiting = len(desk.now.held)
    if waiting:
        desk.refuse(scan, f"{waiting} item{'s wait' if waiting > 1 else ' waits'} for a place: scan it")
    elif desk.now.half is not None:
        missing = "what it is on" if desk.now.half.epc is not None else "its tag"
        desk.refuse(scan, f"not whole yet: scan {missing}")
    desk.set(pallet=None, pallet_by=None)


def _cancel(desk: Desk, _scan: Scanned, _argument: str) -> None:
    """Forget what waits."""
    desk.set(waiting=None, held=[], half=None)


def _undo(desk: Desk, scan: Scanned, _argument: str) -> None:
    """Take the last act back by a further one."""
    now = desk.now
    last = now.done[-1] if now.done else None
    if now.waits_since is not None:
        desk.refuse(scan, "something waits: scan CONFIRM or CANCEL first, then UNDO")
    elif last is None:
        desk.refuse(scan, "nothing to take back")
    elif scan.at - last.at > desk.params.undo_us:
        minutes = desk.params.undo_us // 60_000_000
        desk.refuse(scan, f"nothing to take back: the last act is more than {minutes} minutes old")
    else:
        facts = {"undoes": last.id, "undone": last.action, "undone_at": last.at, "badge": now.badge}
        evidence = [scan.evidence, *([now.badge_by] if now.badge_by is not None else [])]
        undone = replace(last, at=scan.at, action="undo", text=f"taken back: {last.text}", evidence=evidence, **facts)
        desk.set(done=now.done[:-1])
        desk.add(undone)


def _badge(desk: Desk, scan: Scanned, argument: str) -> None:
    """Who scans from now on."""
    if _BADGE.fullmatch(argument):
        desk.set(badge=argument, badge_by=scan.evidence)
    else:
        desk.refuse(scan, f"badge: 1 to 64 letters, digits and ._- expected, got {short(argument)}")


COMMANDS: Mapping[str, Callable[[Desk, Scanned, str], None]] = {
    "RECEIVE": partial(_mode, "receive"),
    "ISSUE": partial(_mode, "issue"),
    "RETURN": partial(_mode, "return"),
    "MOVE": partial(_mode, "move"),
    "COUNT": partial(_mode, "count"),
    "ASSIGN": partial(_mode, "assign"),
    "PACK": partial(_mode, "pack"),
    "LOC": goods.go_to,
    "QTY": goods.quantity,
    "+": goods.add,
    "CONFIRM": _confirm,
    "CANCEL": _cancel,
    "UNDO": _undo,
    "BADGE": _badge,
    "ASSET": tagging.asset,
    "EPC": tagging.tag,
}
"""Every command of models.barcode.COMMANDS."""
