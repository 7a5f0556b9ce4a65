"""What nobody can know is allowed either way by the checker: lost records, and what came after the last one."""

from decimal import Decimal

from models.reading import from_micros
from simulators.answers import System
from simulators.answers_fleet import MeterUse
from simulators.checks import hours, services
from simulators.checks.machine import Machine
from simulators.truth import Plan, Truth

MINUTE = 60_000_000


def test_a_lost_record_makes_hours_as_unsure_as_its_surroundings() -> None:
    """The record that said that the engine started is lost; the next one came five minutes later."""
    ran = (5 * MINUTE, 60 * MINUTE)
    machine = Machine("M", "1", [ran], [0, *range(10 * MINUTE, 70 * MINUTE, 5 * MINUTE)], [], [(0, 10 * MINUTE)])
    assert hours.check(Answering(50), [machine]).ok
    assert hours.check(Answering(45), [machine]).ok
    assert not hours.check(Answering(44), [machine]).ok
    assert not hours.check(Answering(66), [machine]).ok


def test_hours_after_the_last_record_are_anybodys_guess() -> None:
    """55 of 60 minutes ran; the tracker is silent for an hour since."""
    known = Truth(plans={"M/oil": Plan("M/oil", "M", every_hours=1, starts_at=from_micros(0))})
    machine = Machine("M", "1", [(0, 55 * MINUTE)], [0, 55 * MINUTE], [], [])
    (standing,) = services.standings(known, [machine], 55 * MINUTE)
    assert standing.levels == {"soon"}
    (standing,) = services.standings(known, [machine], 115 * MINUTE)
    assert standing.levels == {"soon", "due", "maybe"}


class Answering(System):
    """Says that the engine ran for so many minutes, and the hour counter too."""

    def __init__(self, minutes: int) -> None:
        super().__init__("http://127.0.0.1:1")
        self.hours = str(round(Decimal(minutes) / 60, 6))

    def meters(self, asset: str, span: tuple[int, int], *, by_day: bool = False) -> list[MeterUse]:  # noqa: ARG002
        ends = [from_micros(at) for at in span]
        counted = MeterUse("engine_hours", "h", *ends, *[str(round(Decimal(55) / 60, 6))] * 2)
        return [MeterUse("runtime", "h", *ends, self.hours, self.hours), counted]
