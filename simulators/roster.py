"""All machines of a scenario: those that it names, and its fleet of trucks and cranes in turn."""

from models.reading import micros
from simulators import story
from simulators.machines import Machine
from simulators.past import Past, Span, past
from simulators.scenario import Scenario, fleet_asset
from simulators.weather import DAY_MS

FLEET_IMEI = "3563070425"


def named(scenario: Scenario) -> list[Machine]:
    """The machines of the scenario's tables."""
    return [story.machine(one.asset, one.kind, one.imei, scenario.seed) for one in scenario.machine]


def fleet(scenario: Scenario) -> list[Machine]:
    """M-001, M-002, ..."""
    return [
        story.machine(fleet_asset(number), ("crane", "truck")[number % 2], f"{FLEET_IMEI}{number:05d}", scenario.seed)
        for number in range(1, scenario.machines + 1)
    ]


def span(scenario: Scenario) -> Span:
    """When the history begins and ends."""
    end_ms = micros(scenario.start) // 1000
    return end_ms - scenario.history_days * DAY_MS, end_ms


def pasts(scenario: Scenario) -> list[Past]:
    """What every machine did in the history."""
    when = span(scenario)
    others = [past(machine, scenario.seed, when, story.fleet(when)) for machine in fleet(scenario)]
    return named_pasts(scenario) + others


def named_pasts(scenario: Scenario) -> list[Past]:
    """What the machines of the scenario's tables did."""
    when = span(scenario)
    return [past(machine, scenario.seed, when, story.named(machine.asset, when)) for machine in named(scenario)]
