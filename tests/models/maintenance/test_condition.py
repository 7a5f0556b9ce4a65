"""Whether a signal is beyond its limit: by its last value, by several in a row, by the means of whole hours."""

import pytest

from models.declared_plans import Condition
from models.maintenance.condition import Seen, of_signal


@pytest.mark.parametrize(
    ("condition", "values", "holds", "since"),
    [
        (Condition("temperature", above=80.0), [79, 81], True, 1),
        (Condition("temperature", above=80.0), [81, 79], True, 0),
        (Condition("temperature", above=80.0), [80], False, 0),
        (Condition("pressure", below=2.0), [2.5, 1.9], True, 1),
        (Condition("temperature", above=80.0, readings=3), [81, 82, 79, 81, 82, 83], True, 3),
        (Condition("temperature", above=80.0, readings=3), [81, 82, 79, 81, 82], False, 4),
        (Condition("temperature", above=80.0, hours=2), [81, 82], True, 0),
        (Condition("temperature", above=80.0, hours=2), [81, None, 82], False, 2),
    ],
)
def test_a_signal_beyond_its_limit(
    condition: Condition, values: list[float | None], since: int, *, holds: bool
) -> None:
    seen = [Seen(k * 3_600_000_000, each) for k, each in enumerate(values) if each is not None]
    found = of_signal(condition, seen, "Cel")
    assert found is not None
    assert (found.holds, found.at) == (holds, since * 3_600_000_000)
    assert of_signal(condition, [], "Cel") is None
