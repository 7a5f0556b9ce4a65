import pytest

from models.dock.direction import LONGEST_US, Row, judge

S = 1_000_000


def row(centre_ms: int, reads: int, heard: tuple[float, float], peak: tuple[float, int | None]) -> Row:
    """A row whose centre of time is `centre_ms`, heard from-to and best at (time in s, centi-dBm)."""
    weight = reads * 30
    return Row(reads, int(heard[0] * S), int(heard[1] * S), peak[1], int(peak[0] * S), weight, weight * centre_ms)


EARLY = row(1500, 20, (0, 4), (1.4, -4500))
LATE = row(3500, 18, (1.5, 6), (3.6, -4700))
QUIET_LATE = row(3500, 18, (1.5, 6), (3.6, -7000))
FEW_LATE = row(3500, 3, (3, 4), (3.6, -5000))
SOON = row(2000, 20, (0.2, 6), (2.0, -4700))
LATE_BUT_HEARD_FIRST = row(3500, 18, (0, 4.5), (3.6, -4700))
EARLY_FROM_1S = row(1500, 20, (1, 4), (1.4, -4500))
LATE_PEAK_FIRST = row(3500, 18, (0.3, 6), (0.5, -4400))


@pytest.mark.parametrize(
    ("inside", "outside", "direction", "reason"),
    [
        (LATE, EARLY, "in", "outside row first by 2.0 s of 6.0 s"),
        (EARLY, LATE, "out", "inside row first by 2.0 s of 6.0 s"),
        (EARLY, Row(), "none", "heard by the inside row only (20 reads)"),
        (Row(), LATE, "none", "heard by the outside row only (18 reads)"),
        (Row(), Row(), "none", "heard by neither row"),
        (SOON, EARLY, "none", "both rows at about the same time (0.5 s apart): standing or turning back"),
        (FEW_LATE, EARLY, "none", "one row heard it much less (3 reads to 20): passing along one side"),
        (QUIET_LATE, EARLY, "none", "one row heard it 25 dB weaker"),
        (LATE_PEAK_FIRST, EARLY, "none", "outside row first, but strongest there last"),
        (LATE_BUT_HEARD_FIRST, EARLY_FROM_1S, "none", "outside row first, but also heard it last: turning back"),
    ],
)
def test_each_reason(inside: Row, outside: Row, direction: str, reason: str) -> None:
    verdict = judge(6 * S, inside, outside)
    assert (verdict.direction, verdict.reasons[0]) == (direction, reason)
    assert 0 <= verdict.score <= 1


def test_without_rssi_the_times_decide() -> None:
    inside, outside = row(3500, 18, (1.5, 6), (0, None)), row(1500, 20, (0, 4), (0, None))
    assert judge(6 * S, inside, outside).direction == "in"


def test_a_long_stay_is_no_crossing() -> None:
    assert judge(LONGEST_US, LATE, EARLY).direction == "none"
    assert judge(LONGEST_US + 1, LATE, EARLY).reasons == ["in range for 40 s"]


def test_a_clearer_order_is_surer() -> None:
    scores = [judge(6 * S, row(1500 + lead, 18, (1.5, 6), (3.6, -4700)), EARLY).score for lead in (1000, 2000, 3000)]
    assert scores == sorted(scores)
    assert scores[0] < scores[2]


@pytest.mark.parametrize(
    ("inside", "outside", "chances"),
    [
        (LATE, EARLY, (0.775, 0.0, 0.225)),
        (EARLY, LATE, (0.0, 0.775, 0.225)),
        (FEW_LATE, EARLY, (0.25, 0.0, 0.75)),
        (EARLY, FEW_LATE, (0.0, 0.25, 0.75)),
        (EARLY, Row(), (0.0225, 0.0225, 0.955)),
        (Row(), Row(), (0.0, 0.0, 1.0)),
    ],
)
def test_what_the_score_leaves_over_goes_to_the_way_that_the_times_tell(
    inside: Row, outside: Row, chances: tuple[float, float, float]
) -> None:
    assert judge(6 * S, inside, outside).chances == pytest.approx(chances)
