"""Gearboxes fail as often as they should, most of them after days of signs; decoys look alike and lead to nothing."""

from functools import cache
from statistics import mean

from simulators import fleet, roster, story, wear
from simulators.machines import Meters
from simulators.past import Past, Story, past
from simulators.record import GEARBOX_DECIDEGREES, LOAD_PERCENT, OIL_MBAR, VIBRATION_UM_S
from simulators.scenario import load
from simulators.signals import sensors
from simulators.weather import DAY_MS, HOUR_MS, Weather
from simulators.world import Chance
from tests.simulators.machine_lines import FLEET, pasts

YEAR = (1_700_000_000_000, 1_700_000_000_000 + 365 * DAY_MS)


@cache
def lived() -> list[Past]:
    machines = [story.machine(f"M-{number:03d}", ("crane", "truck")[number % 2], "1", 101) for number in range(1, 7)]
    return [past(machine, 101, YEAR, Story()) for machine in machines]


def samples(one: Past, begin_ms: int, end_ms: int) -> list[dict[int, int]]:
    """What the sensors say every 20 minutes of a stretch, at loads that are alike."""
    meters, box = Meters(one.machine, Weather(one.seed)), sensors(one.machine, one.seed)
    found: list[dict[int, int]] = []
    for segment in one.segments:
        if segment.engine and begin_ms <= segment.begin_ms < end_ms:
            times = range(-(-segment.begin_ms // 60_000) * 60_000, segment.end_ms, 1_200_000)
            found += [dict(box.sample(meters.at(segment, at_ms), one.signs(at_ms), at_ms)) for at_ms in times]
        meters.past(segment)
    return found


def usual(found: list[dict[int, int]], ident: int) -> float:
    """The mean of what an element says per idle engine, which every day has."""
    return mean(each[ident] for each in found if each[LOAD_PERCENT] < 30)


def test_two_or_three_failures_a_machine_and_year() -> None:
    number = [len(each.failures) for each in lived()]
    assert 2 <= mean(number) <= 3.3
    assert max(number) <= 7


def test_a_failure_stops_the_machine_until_it_is_repaired() -> None:
    for one in lived():
        for failure in one.failures:
            assert 24 * HOUR_MS <= failure.repaired_ms - failure.at_ms <= 48 * HOUR_MS
            assert any(end == failure.at_ms for _, end in one.runs), "a gearbox fails while it works"
            assert not [run for run in one.runs if run[0] < failure.repaired_ms and run[1] > failure.at_ms]


def test_four_failures_in_five_are_announced_for_days() -> None:
    announced = total = 0
    for one in lived():
        begins = {drift.end_ms: drift.begin_ms for drift in one.drifts}
        for failure in one.failures:
            total += 1
            announced += failure.at_ms in begins
            if failure.at_ms in begins:
                assert failure.at_ms - begins[failure.at_ms] <= 8 * DAY_MS
    assert 0.65 < announced / total <= 1
    chance = Chance("lives")
    lives = [wear.life(lived()[0].machine, chance) for _ in range(2000)]
    assert 0.17 < sum(not life.drift_ms for life in lives) / len(lives) < 0.23
    assert all(3 * DAY_MS <= life.drift_ms <= 8 * DAY_MS for life in lives if life.drift_ms)


def test_signs_grow_in_vibration_and_heat_until_the_failure_and_are_gone_after() -> None:
    checked = 0
    for one in lived()[:2]:
        for drift in one.drifts:
            before = samples(one, drift.begin_ms - 3 * DAY_MS, drift.begin_ms)
            last = samples(one, drift.end_ms - DAY_MS, drift.end_ms)
            after = samples(one, drift.end_ms, drift.end_ms + 5 * DAY_MS)
            if drift.begin_ms - 3 * DAY_MS > one.begin_ms and min(len(before), len(last), len(after)) > 10:
                assert usual(last, VIBRATION_UM_S) > usual(before, VIBRATION_UM_S) + 300
                assert usual(last, VIBRATION_UM_S) > usual(after, VIBRATION_UM_S) + 300
                checked += 1
    assert checked >= 3


def test_the_hazard_rises_with_use_and_load() -> None:
    lives = sorted(wear.life(lived()[0].machine, Chance(f"{number}")).hours for number in range(4000))
    young = sum(hours < 200 for hours in lives) / len(lives)
    old = sum(400 <= hours < 600 for hours in lives) / sum(hours >= 400 for hours in lives)
    assert old > 3 * young
    assert wear.WORN[85] > 1.9 * wear.WORN[45] > 4 * wear.WORN[10]


def test_decoys_lead_to_nothing() -> None:
    heavy = loose = 0
    for one in lived():
        jobs = wear.heavy_jobs(one.machine.chance(one.seed, "heavy"), YEAR)
        for day_ms in range(YEAR[0], YEAR[1], DAY_MS):
            heavy += jobs.at(day_ms) is not None
            decoy = one.loose.at(day_ms)
            loose += decoy is not None
            assert decoy is None or one.signs(day_ms).loose_mm_s == decoy.loose_mm_s > 0.6
    machine_days = 365 * len(lived())
    assert 0.02 < heavy / machine_days < 0.12
    assert 0.005 < loose / machine_days < 0.05
    drift = wear.Drift(0, 10, wear.Signs(1.0, 1.0, 1.0))
    assert drift.at(10) is wear.SOUND
    assert drift.at(5).loose_mm_s == 0


def test_heavy_jobs_and_hot_days_heat_a_sound_gearbox() -> None:
    one = lived()[0]
    box, meters = sensors(one.machine, one.seed), Meters(one.machine, Weather(one.seed))
    runs = [segment for segment in one.segments if segment.engine]
    state = meters.at(runs[0], runs[0].end_ms)
    raw = dict(box.sample(state, wear.SOUND, 0))
    worn = dict(box.sample(state, wear.Signs(2.0, 16.0, 0.4), 0))
    assert dict(box.sample(state, wear.SOUND, 0)) == raw
    assert worn[VIBRATION_UM_S] > raw[VIBRATION_UM_S] + 500
    assert worn[GEARBOX_DECIDEGREES] > raw[GEARBOX_DECIDEGREES] + 50
    assert worn[OIL_MBAR] < raw[OIL_MBAR] - 400
    assert worn[LOAD_PERCENT] == raw[LOAD_PERCENT]


def test_the_demo_has_one_gearbox_that_wears_and_none_that_fails() -> None:
    for seed in (7, 8):
        truck, crane = pasts(30, seed)
        end_ms = crane.end_ms
        assert [failure.at_ms < truck.begin_ms for failure in truck.failures] == [True]
        assert 0 < truck.failures[0].repaired_ms - truck.begin_ms < DAY_MS
        assert not crane.failures
        assert crane.signs(end_ms - 5 * DAY_MS) is wear.SOUND is truck.signs(end_ms)
        assert crane.signs(end_ms).vibration_mm_s > 1
        sound, worn = samples(crane, end_ms - 12 * DAY_MS, end_ms - 5 * DAY_MS), samples(crane, end_ms - DAY_MS, end_ms)
        assert usual(worn, VIBRATION_UM_S) > usual(sound, VIBRATION_UM_S) + 300
    assert not pasts(3)[1].drifts


def test_the_fleet_of_the_scenario() -> None:
    machines = roster.fleet(load(FLEET))
    assert len(machines) == 60
    assert (machines[0].asset, machines[0].kind, machines[0].imei) == ("M-001", "truck", "356307042500001")
    assert (machines[1].asset, machines[1].kind) == ("M-002", "crane")
    assert fleet.OIL.keys() == {machine.kind for machine in machines}
