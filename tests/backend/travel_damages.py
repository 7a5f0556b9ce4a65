"""Rows of trips, stops and distance that cannot be, for the tests of `stockyard verify`."""

CARRIED_TOO = """INSERT INTO travel (id, device_id, subject, asset, what, begin_at, end_at, closed_at, day, distance_mm,
    fixes, version, evidence) SELECT 'x' || n, device_id, subject, asset, 'distance', begin_at, end_at, closed_at, day,
    distance_mm, fixes, version, evidence FROM travel WHERE what = 'transported'"""
OF_TRAVEL = [
    ("derived rows = fold of the journal", "UPDATE travel SET distance_mm = distance_mm + 1 WHERE n = 1"),
    ("distance counted once", "UPDATE travel SET begin_at = begin_at - 3600000000 WHERE n = ($distance)"),
    ("distance counted once", "UPDATE travel SET begin_at = end_at + 1 WHERE what = 'distance'"),
    ("distance counted once", "UPDATE travel SET begin_at = begin_at - 60000000 WHERE n = ($trip)"),
    ("distance counted once", "UPDATE travel SET what = 'stop', lat = 51.0, lon = 3.7 WHERE what = 'distance'"),
    ("distance counted once", "UPDATE travel SET what = 'distance' WHERE n = ($trip)"),
    ("distance counted once", "UPDATE travel SET what = 'transported' WHERE what = 'distance'"),
    ("distance counted once", "UPDATE travel SET what = 'stop', lat = NULL WHERE n = ($trip)"),
    ("distance counted once", CARRIED_TOO),
    ("derived rows = fold of the journal", "UPDATE travel SET fixes = fixes + 1 WHERE n = ($trip)"),
    ("derived rows = fold of the journal", "UPDATE travel SET version = version + 1 WHERE n = ($trip)"),
    ("derived rows = fold of the journal", "UPDATE travel SET lat = lat + 1 WHERE n = ($trip)"),
    ("derived rows = fold of the journal", "UPDATE travel SET method = 'fix' WHERE n = ($trip)"),
    ("derived rows = fold of the journal", "DELETE FROM travel WHERE what = 'transported'"),
]  # fmt: skip
