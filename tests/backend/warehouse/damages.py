"""Rows of counts, tasks and work orders that cannot be, for the tests of `stockyard verify`."""

from tests.backend.use_damages import OF_USE
from tests.backend.work_damages import OF_WORK

WORK_DAMAGES = [
    *OF_WORK,
    *OF_USE,
    (
        "counts = what was there",
        (
            "INSERT INTO counted (id, source, sku, location, at, quantity, adjustment) "
            "VALUES ('c/1', 'count:c', 'BOLT-M8', 'nowhere', 1, '5', '4')"
        ),
    ),
    (
        "contents of pallets moved with them",
        (
            "INSERT INTO content_move (crossing, child, pallet, day, act, movement) "
            "VALUES ('c', '(01)09521321500013(21)A', '(00)095213210000000421', 20000, 'a', 'never posted')"
        ),
    ),
    (
        "lots dated by labels",
        "UPDATE scan_act SET lot = 'L1', expires = '2027-03-31' WHERE n = (SELECT min(n) FROM scan_act WHERE sku > '')",
    ),
    (
        "work and its movements",
        (
            "INSERT INTO tag_stay (source, epc, at, how, place, sku, quantity, movement) "
            "VALUES ('sweep:s', 'aa', 1, 'seen', 'desk', 'PUMP-40', '1', 'never posted')"
        ),
    ),
]
