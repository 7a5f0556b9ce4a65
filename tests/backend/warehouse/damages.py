"""Rows of counts and tasks that cannot be, for the tests of `stockyard verify`."""

WORK_DAMAGES = [
    (
        "counts = what was there",
        (
            "INSERT INTO counted (id, source, sku, location, at, quantity, adjustment) "
            "VALUES ('c/1', 'count:c', 'BOLT-M8', 'nowhere', 1, '5', '4')"
        ),
    ),
    (
        "work and its movements",
        (
            "INSERT INTO tag_stay (source, epc, at, how, place, sku, quantity, movement) "
            "VALUES ('sweep:s', 'aa', 1, 'seen', 'desk', 'PUMP-40', '1', 'never posted')"
        ),
    ),
]
