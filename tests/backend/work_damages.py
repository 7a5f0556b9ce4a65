"""Rows of work orders that cannot be, for the tests of `stockyard verify`."""

_ORDER = """INSERT INTO work_order (id, asked, kind, state, asset, title, priority, plan, covers, made_by, made_at)
    SELECT 'w' || value, x'7b', 'preventive', 'approved', 'TRUCK-1', 't', 'normal', 'TRUCK-1/oil', '[]', 'x', 1
    FROM json_each('[1, 2]')"""
_COSTS = """INSERT INTO work_order (id, asked, kind, state, asset, title, priority, covers, made_by, made_at, costs)
    VALUES ('w', x'7b', 'corrective', 'done', 'TRUCK-1', 't', 'normal', '[]', 'x', 1,
    '{"labour": "1.00", "parts": "0.00", "other": "0.00", "total": "1.00", "uncosted": 0}')"""
_MOVE = """INSERT INTO work_move (order_id, part_id, what, quantity, movement, at_end, at, actor, recorded_at)
    VALUES ('w', 'p', 'issued', '1', 'never posted', false, 1, 'x', 1)"""
_STEP = "INSERT INTO work_step (order_id, at, what, state, actor, body) VALUES ('w', 1, 'made', 'done', 'x', '{}')"
OF_WORK = [
    ("parts of work orders and the ledger", _MOVE),
    (
        "parts of work orders and the ledger",
        "INSERT INTO work_part VALUES ('w', 'p', NULL, 'rags', '2', NULL, NULL, NULL, '1', NULL, 0, false)",
    ),
    ("one open work order, costs = their lines", _ORDER),
    ("one open work order, costs = their lines", _COSTS),
    ("work orders = their recorded life", _STEP),
]
