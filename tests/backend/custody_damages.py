"""Rows of custody and bookings that cannot be, for the tests of `stockyard verify`."""

_HELD = "INSERT INTO asset_holder (asset, holder, since, entry) VALUES ('TRUCK-1', 'ann', 1, 'c')"
_BOOKED = """INSERT INTO asset_booking (id, asset, holder, begin_at, end_at, state, actor, made_at)
    VALUES ('a', 'TRUCK-1', 'ann', 1, 9, 'open', 'x', 1), ('b', 'TRUCK-1', 'bob', 8, 12, 'open', 'x', 1)"""
OF_CUSTODY = [("custody chained", _HELD), ("assets promised once", _BOOKED)]
