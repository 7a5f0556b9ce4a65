"""One scanner for the tests of its workflow: what it knows, its scans a second apart, and what they come to."""

from decimal import Decimal

from models.epc import encode
from models.scan import Item, ScanAct, Scanned, Workflow, expire, fold

S = 1_000_000
BOLT, GLOVE, PUMP, PACK, SAND = "09521321500013", "09521321500020", "19521321000107", "29521321500017", "99521321500016"
ITEMS = {
    BOLT: Item("BOLT-M8", "Bolt M8 x 40", tagged=False),
    GLOVE: Item("GLOVE-L", "Work gloves, L", tagged=False),
    PUMP: Item("PUMP-40", "Pump", tagged=True),
    PACK: Item("BOLT-M8", "Bolt M8 x 40, pack", tagged=False, units=Decimal(100)),
    SAND: Item("SAND", "Sand", tagged=False, uom="kg"),
}
PLACES = {"desk": "desk", "9521321000001": "desk", "shelf": "shelf", "yard": "yard"}
DESK = Workflow(
    "dock-a/scanner-1", ITEMS, PLACES, assets={"crane-1": "CRANE-1"}, codes={"(8004)9521321CRANE1": "CRANE-1"}
)
E_BOLT, E_GLOVE = BOLT[1:], GLOVE[1:]
TAG = "e2801160600002054a1b0c0d"
CARTON, PALLET = encode("urn:epc:id:sgtin:9521321.100010.7"), encode("urn:epc:id:sscc:9521321.0000000042")
SSCC = "00095213210000000421"
OWNED = encode("urn:epc:id:giai:9521321.77")


def scan(data: str, at: int) -> Scanned:
    symbology = "]E0" if data.isdecimal() and len(data) == 13 else "]C0" if data.startswith("SY:") else "]C1"
    return Scanned(at, data, symbology, f"{at:016x}")


def scans(*codes: str | int) -> list[Scanned]:
    """Codes a second apart; a number is a pause of so many seconds more."""
    at, made = 0, []
    for code in codes:
        at += S * code if isinstance(code, int) else S
        if isinstance(code, str):
            made.append(scan(code, at))
    return made


def acts(*codes: str | int) -> list[ScanAct]:
    """What these codes do, and then nothing for an hour."""
    made = scans(*codes)
    state, done = fold(DESK, None, made)
    return done + expire(DESK, state, made[-1].at + 3600 * S)[1]


def said(*codes: str | int) -> list[str]:
    return [act.text for act in acts(*codes)]
