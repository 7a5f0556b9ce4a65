"""What the demo's past must end in, so that whoever looks live finds something to do: a due service, a wearing gearbox.

Named machines fail in no history; a fleet's machines fail by chance.
"""

from simulators.machines import Machine
from simulators.past import Failure, Span, Story
from simulators.shifts import MINUTE_MS, Rules
from simulators.wear import Drift, Signs
from simulators.weather import DAY_MS, HOUR_MS

LONG_MS = 20 * DAY_MS
"""A history shorter than that is left as it is."""
NEGLECTED = "TRUCK-1/oil"
"""The plan whose service is overrun at the end."""
MENDED, WEARING = "TRUCK-1", "CRANE-1"
"""A machine that comes from a repair at the beginning, and one whose gearbox wears at the end."""
AGES_H = {"TRUCK-1": 4810, "CRANE-1": 2950}
SPEED_MPS = {"truck": 3.4, "crane": 0.06}
"""Mean speed over all engine hours before."""
WEARS_FOR_MS, FAILS_AFTER_MS = 4 * DAY_MS, 36 * HOUR_MS
SIGNS = Signs(vibration_mm_s=2.0, heat_c=16.0, oil_bar=0.3)


def machine(asset: str, kind: str, imei: str, seed: int) -> Machine:
    """A machine of some age."""
    made = Machine(asset, "crane" if kind == "crane" else "truck", imei, 0, 0)
    hours = AGES_H.get(asset) or made.chance(seed, "age").randint(500, 6000)
    return Machine(asset, made.kind, imei, hours * HOUR_MS, int(hours * HOUR_MS * SPEED_MPS[made.kind]))


def rules(span: Span) -> Rules:
    """A history's: every engine is off at its end, in the yard, so that the live part goes on from there."""
    begin_ms, end_ms = span
    return Rules(begin_ms + HOUR_MS, end_ms - 3 * HOUR_MS, end_ms - 25 * MINUTE_MS)


def named(asset: str, span: Span) -> Story:
    """A machine that the scenario names."""
    begin_ms, end_ms = span
    usual = rules(span)
    quiet_ms = end_ms - 8 * DAY_MS
    if end_ms - begin_ms < LONG_MS:
        return Story(usual, fails=False, decoys_until_ms=quiet_ms)
    if asset == WEARING:
        drift = Drift(end_ms - WEARS_FOR_MS, end_ms + FAILS_AFTER_MS, SIGNS)
        return Story(usual, fails=False, drift=drift, decoys_until_ms=quiet_ms)
    if asset == MENDED:
        mended = Failure(begin_ms - 20 * HOUR_MS, begin_ms + 3 * HOUR_MS)
        later = Rules(mended.repaired_ms + 15 * MINUTE_MS, usual.home_ms, usual.stop_ms)
        return Story(later, fails=False, mended=mended, decoys_until_ms=quiet_ms)
    return Story(usual, fails=False, decoys_until_ms=quiet_ms)


def fleet(span: Span) -> Story:
    """A machine of a fleet in a history."""
    return Story(rules(span))
