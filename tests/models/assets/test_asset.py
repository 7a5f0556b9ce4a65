"""The life of an asset: which state may follow which."""

from typing import get_args

import pytest

from models.assets.asset import ACTIVE, GONE, NEXT, STATES, State, check_transition
from models.declared import Asset
from models.errors import Refused

ALLOWED = {
    "ordered": "in_service idle stored",
    "in_service": "down idle stored in_repair retired sold recycled",
    "down": "in_service idle stored in_repair retired sold recycled",
    "idle": "in_service down stored in_repair retired sold recycled",
    "stored": "in_service down idle in_repair retired sold recycled",
    "in_repair": "in_service down idle stored retired sold recycled",
    "retired": "in_service idle stored sold recycled disposed",
    "sold": "",
    "recycled": "",
    "disposed": "",
}


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_steps(before: State, after: State) -> None:
    check_transition(None, after)
    if after == before or after in ALLOWED[before].split():
        check_transition(before, after)
    else:
        with pytest.raises(Refused, match=f"state: .* {before}.* got {after}"):
            check_transition(before, after)


def test_the_register_has_the_same_states() -> None:
    declared = Asset.__annotations__["state"]
    assert tuple(get_args(declared)) == get_args(State) == STATES == tuple(NEXT)
    assert {*STATES} - ACTIVE - GONE == {"ordered", "retired"}
    assert not ACTIVE & GONE
