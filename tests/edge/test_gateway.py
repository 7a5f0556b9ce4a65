"""What the gateway's process sets for itself."""

import gc

from edge.gateway import SELDOM, collect_seldom


def test_old_objects_are_seldom_looked_through() -> None:
    before = gc.get_threshold()
    try:
        collect_seldom()
        assert gc.get_threshold() == (*before[:2], SELDOM)
        assert 5 * before[2] == SELDOM, "what ended connections leave must not pile up"
        assert gc.get_freeze_count() > 0
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
