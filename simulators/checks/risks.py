"""Every machine with a tracker is told a risk of failure with its reasons, or that there is not enough data for one."""

from collections.abc import Sequence

from simulators.answers_fleet import Risk
from simulators.checks.found import Found
from simulators.checks.machine import Machine
from simulators.truth import Truth

STATES = {"scored", "not_enough_data"}


def check(risks: Sequence[Risk], machines: Sequence[Machine], truth: Truth) -> Found:
    """List what is told of each; whether it comes true is measured elsewhere, on many machines."""
    found = Found("each machine has a risk, or too little data")
    told = {one.asset: one for one in risks}
    unmended = _unmended(truth)
    for one in machines:
        risk = told.get(one.asset)
        failing = f"; its {unmended[one.asset]} has failed" if one.asset in unmended else ""
        if risk is None or risk.state not in STATES:
            found.differences.append(f"{one.asset}: {'nothing' if risk is None else risk.state} is told{failing}")
        elif risk.risk is None:
            found.listed.append(f"{one.asset}: {risk.missing or risk.state.replace('_', ' ')}{failing}")
        else:
            reasons = ", ".join(reason.signal for reason in risk.reasons) or "no reason"
            found.listed.append(f"{one.asset}: {risk.risk:.1%} by {reasons}{failing}")
    found.figures = {"machines": len(machines), "scored": sum(one.risk is not None for one in risks)}
    return found


def untold(risks: Sequence[Risk], machines: Sequence[Machine]) -> list[str]:
    """Machines of which nothing is told yet."""
    told = {one.asset for one in risks}
    return [f"{one.asset}: no risk is told yet" for one in machines if one.asset not in told]


def _unmended(truth: Truth) -> dict[str, str]:
    """What has failed and was not repaired, by asset."""
    last = {(one.asset, one.component): one.at for one in truth.repairs}
    return {
        one.asset: one.component
        for one in truth.failures
        if last.get((one.asset, one.component)) is None or last[one.asset, one.component] < one.at
    }
