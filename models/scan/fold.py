"""The fold: scans of one scanner, and time, to its session and acts."""

from collections.abc import Callable, Mapping, Sequence

from models import barcode
from models.barcode import Gs1, OwnCode
from models.errors import BadCode
from models.reading import from_micros
from models.scan import goods, tagging
from models.scan.commands import COMMANDS
from models.scan.desk import Desk
from models.scan.session import ScanAct, Scanned, Session, Workflow

OF_MODE: Mapping[str, Callable[[Desk, Scanned, Gs1], None]] = {"assign": tagging.assign, "pack": tagging.pack}
"""What a GS1 code is; in every other mode, and without one, an item."""


def fold(params: Workflow, state: Session | None, scans: Sequence[Scanned]) -> tuple[Session | None, list[ScanAct]]:
    """Take in scans of this scanner, in fold order and each once."""
    if not scans:
        return state, []
    desk = Desk(params, state, scans[0].at)
    for scan in scans:
        _pass_time(desk, scan.at)
        _take(desk, scan)
    return desk.settled(), desk.acts


def due(params: Workflow, state: Session | None) -> int | None:
    """When something happens if nothing more is scanned: what waits acts or is refused, or the session ends."""
    if state is None:
        return None
    silence = state.last_at + params.silence_us
    return silence if state.waits_since is None else min(silence, state.waits_since + params.wait_us)


def expire(params: Workflow, state: Session | None, now: int) -> tuple[Session | None, list[ScanAct]]:
    """Apply what is due at or before `now`."""
    if state is None:
        return None, []
    desk = Desk(params, state, state.last_at)
    _pass_time(desk, now)
    return desk.settled(), desk.acts


def _pass_time(desk: Desk, at: int) -> None:
    """What is due before a scan at `at`: what waits, then the end of the session."""
    silence = desk.now.last_at + desk.params.silence_us
    since = desk.now.waits_since
    if since is not None and at >= (end := min(since + desk.params.wait_us, silence)):
        goods.give_up(desk, end)
    if at >= silence:
        desk.now = Session(at)


def _take(desk: Desk, scan: Scanned) -> None:
    desk.set(last_at=scan.at)
    try:
        code = barcode.parse(scan.data, scan.symbology, from_micros(scan.at).year)
    except BadCode as error:
        if not barcode.is_own(scan.data):
            goods.settle(desk, scan.at)
        desk.refuse(scan, str(error))
        return
    if isinstance(code, OwnCode):
        COMMANDS[code.command](desk, scan, code.argument or "")
    elif code.gtin is None and code.location is not None:
        goods.go_to(desk, scan, code.location)
    elif not tagging.labelled(desk, scan, code):
        goods.settle(desk, scan.at)
        OF_MODE.get(desk.now.mode or "", goods.item)(desk, scan, code)
