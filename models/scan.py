"""The scan workflow: the scans of one scanner become receipts, issues, matches and refusals.

Own codes set the mode (`SY:RECEIVE`, `SY:ISSUE`) and the location; an item with a count (AI 30 or 37) acts at once, one
without waits for `SY:QTY:n` and acts with quantity 1 at the next item, mode or CONFIRM, or when `wait_us` pass. An item
whose code is refused counts as the next one: its quantity must not go to the item before. The mode and location are
forgotten after `silence_us`. Everything is in event time; a state and its inputs decide the acts, nothing else.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from models import barcode
from models.barcode import Gs1, OwnCode
from models.errors import BadCode
from models.ids import derived_id
from models.reading import from_micros
from models.units import BadQuantity, checked, parse_quantity, quantity_text

RULE = "scan-1"
WAIT_US = 60_000_000
SILENCE_US = 600_000_000
MAX_TEXT = 160

Mode = Literal["receive", "issue"]
Action = Literal["receive", "issue", "match", "refused"]
_DONE = {"receive": "received at", "issue": "issued from"}


class Item(Struct, frozen=True):
    """What the register says of a GTIN: `units` of the SKU are in one of it; tagged goods are moved by the door."""

    sku: str
    name: str
    tagged: bool
    units: Decimal = Decimal(1)


class Workflow(Struct, frozen=True):
    """Parameters of one scanner. `items` by GTIN-14; `locations` by id, in small letters, or GLN, to location id.

    `location` is where its goods are until another one is scanned; None: one must be scanned first.
    """

    device: str
    items: Mapping[str, Item]
    locations: Mapping[str, str]
    wait_us: int = WAIT_US
    silence_us: int = SILENCE_US
    location: str | None = None


class Scanned(Struct, frozen=True):
    """One scan reading; `evidence` is its content hash in hexadecimal."""

    at: int
    data: str
    symbology: str | None
    evidence: str


class Waiting(Struct, frozen=True):
    """An item that waits for its quantity, with the mode and location it was scanned under."""

    at: int
    mode: Mode
    location: str
    code: Gs1
    evidence: list[str]
    context: list[str]


class Session(Struct, frozen=True):
    """Where a scanner stands. `mode_by` and `location_by` are the scans that set them."""

    last_at: int
    mode: Mode | None = None
    mode_by: str | None = None
    location: str | None = None
    location_by: str | None = None
    waiting: Waiting | None = None


class ScanAct(Struct, frozen=True):
    """One outcome, with the text for the person. `evidence`: the item's scan, then its quantity, location, mode."""

    id: str
    device: str
    at: int
    action: Action
    ok: bool
    text: str
    evidence: list[str]
    sku: str | None = None
    code: str | None = None
    lot: str | None = None
    serial: str | None = None
    quantity: Decimal | None = None
    location: str | None = None


class _Desk:
    """The session while scans are folded in, and the acts so far."""

    def __init__(self, params: Workflow, state: Session | None, at: int) -> None:
        self.params = params
        self.now = state or Session(at)
        self.acts: list[ScanAct] = []

    def pass_time(self, at: int) -> None:
        """What is due before a scan at `at`: the waiting item, then the end of the session."""
        silence = self.now.last_at + self.params.silence_us
        if self.now.waiting is not None:
            end = min(self.now.waiting.at + self.params.wait_us, silence)
            if at >= end:
                self.act_waiting(end)
        if at >= silence:
            self.now = Session(at)

    def take(self, scan: Scanned) -> None:
        self.now = replace(self.now, last_at=scan.at)
        try:
            code = barcode.parse(scan.data, scan.symbology, from_micros(scan.at).year)
        except BadCode as error:
            if not barcode.is_own(scan.data):
                self.act_waiting(scan.at)
            self.refuse(scan, str(error))
            return
        if isinstance(code, OwnCode):
            self.command(scan, code)
        elif code.gtin is None and code.location is not None:
            self.go_to(scan, code.location)
        else:
            self.act_waiting(scan.at)
            self.item(scan, code)

    def command(self, scan: Scanned, code: OwnCode) -> None:
        argument = code.argument or ""
        match code.command:
            case "RECEIVE" | "ISSUE":
                self.act_waiting(scan.at)
                mode: Mode = "receive" if code.command == "RECEIVE" else "issue"
                self.now = replace(self.now, mode=mode, mode_by=scan.evidence)
            case "CONFIRM":
                self.act_waiting(scan.at)
            case "CANCEL":
                self.now = replace(self.now, waiting=None)
            case "LOC":
                self.go_to(scan, argument)
            case _:
                self.quantity(scan, argument)

    def go_to(self, scan: Scanned, name: str) -> None:
        location = self.params.locations.get(name.lower())
        if location is None:
            self.refuse(scan, f"unknown location {_short(name)}")
        else:
            self.now = replace(self.now, location=location, location_by=scan.evidence)

    def quantity(self, scan: Scanned, text: str) -> None:
        waiting = self.now.waiting
        if waiting is None:
            self.refuse(scan, "no item waits for a quantity: scan the item first")
            return
        try:
            quantity = parse_quantity(text)
            self.act(replace(waiting, at=scan.at, evidence=[*waiting.evidence, scan.evidence]), quantity)
        except BadQuantity as error:
            self.refuse(scan, str(error))
            return
        self.now = replace(self.now, waiting=None)

    def item(self, scan: Scanned, code: Gs1) -> None:
        now = self.now
        item = self.params.items.get(code.gtin or "")
        location = now.location or self.params.location
        if now.mode is None:
            self.refuse(scan, "no mode: scan RECEIVE or ISSUE first", code)
        elif item is None:
            what = f"item {code.gtin}" if code.gtin else f"SSCC {code.sscc}" if code.sscc else "code without a GTIN"
            self.refuse(scan, f"unknown {what}", code)
        elif item.tagged:
            self.match(scan, code, item)
        elif location is None:
            self.refuse(scan, "no location: scan a location first", code)
        else:
            self.start(scan, Waiting(scan.at, now.mode, location, code, [scan.evidence], self.context()))

    def start(self, scan: Scanned, waiting: Waiting) -> None:
        count = waiting.code.count
        if count is None:
            self.now = replace(self.now, waiting=waiting)
            return
        try:
            self.act(waiting, checked(Decimal(count)))
        except BadQuantity as error:
            self.refuse(scan, str(error), waiting.code)

    def act_waiting(self, at: int) -> None:
        waiting = self.now.waiting
        if waiting is None:
            return
        self.now = replace(self.now, waiting=None)
        try:
            self.act(replace(waiting, at=at), Decimal(1))
        except BadQuantity as error:
            self.add(self.refusal(at, str(error), waiting.evidence, waiting.code))

    def act(self, waiting: Waiting, count: Decimal) -> None:
        """Receive or issue `count` of the waiting item at `waiting.at`. Raises BadQuantity."""
        gtin = waiting.code.gtin or ""
        item = self.params.items.get(gtin)
        if item is None:
            self.add(self.refusal(waiting.at, f"unknown item {gtin}", waiting.evidence, waiting.code))
            return
        quantity = checked(count * item.units)
        act = ScanAct(
            id="",
            device=self.params.device,
            at=waiting.at,
            action=waiting.mode,
            ok=True,
            text=f"{quantity_text(quantity)} x {item.sku} {_DONE[waiting.mode]} {waiting.location}",
            evidence=waiting.evidence + waiting.context,
            sku=item.sku,
            code=gtin,
            lot=waiting.code.lot,
            serial=waiting.code.serial,
            quantity=quantity,
            location=waiting.location,
        )
        self.add(act)

    def match(self, scan: Scanned, code: Gs1, item: Item) -> None:
        text = f"{item.sku} is tagged: the door moves it"
        evidence = [scan.evidence, *self.context()]
        act = ScanAct("", self.params.device, scan.at, "match", ok=True, text=text, evidence=evidence)
        self.add(
            replace(act, sku=item.sku, code=code.gtin, lot=code.lot, serial=code.serial, location=self.now.location)
        )

    def refuse(self, scan: Scanned, text: str, code: Gs1 | None = None) -> None:
        self.add(self.refusal(scan.at, text, [scan.evidence], code or Gs1()))

    def refusal(self, at: int, text: str, evidence: list[str], code: Gs1) -> ScanAct:
        line = " ".join(text.split())[:MAX_TEXT]
        act = ScanAct("", self.params.device, at, "refused", ok=False, text=line, evidence=evidence)
        return replace(act, code=code.gtin, lot=code.lot, serial=code.serial)

    def add(self, act: ScanAct) -> None:
        self.acts.append(replace(act, id=derived_id(RULE, act.device, *act.evidence)))

    def context(self) -> list[str]:
        return [scan for scan in (self.now.location_by, self.now.mode_by) if scan is not None]

    def settled(self) -> Session | None:
        """The session, or None if it is as good as new: equal futures are equal states."""
        now = self.now
        return None if now.mode is None and now.location is None and now.waiting is None else now


def _short(text: str) -> str:
    return repr(text[:40])


def fold(params: Workflow, state: Session | None, scans: Sequence[Scanned]) -> tuple[Session | None, list[ScanAct]]:
    """Take in scans of this scanner, in fold order and each once."""
    if not scans:
        return state, []
    desk = _Desk(params, state, scans[0].at)
    for scan in scans:
        desk.pass_time(scan.at)
        desk.take(scan)
    return desk.settled(), desk.acts


def due(params: Workflow, state: Session | None) -> int | None:
    """When something happens if nothing more is scanned: the waiting item acts, or the session ends."""
    if state is None:
        return None
    silence = state.last_at + params.silence_us
    return silence if state.waiting is None else min(silence, state.waiting.at + params.wait_us)


def expire(params: Workflow, state: Session | None, now: int) -> tuple[Session | None, list[ScanAct]]:
    """Apply what is due at or before `now`."""
    if state is None:
        return None, []
    desk = _Desk(params, state, state.last_at)
    desk.pass_time(now)
    return desk.settled(), desk.acts
