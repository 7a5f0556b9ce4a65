from backend.api.sse import Event
from backend.web.live import LATE_EVERY_US, Changes, is_late

SECOND = 1_000_000
AT = 1000 * SECOND


def event(n: int, kind: str, body: bytes = b"{}") -> Event:
    return Event(n, AT, kind, body)


def test_many_rows_are_one_event_of_their_kind() -> None:
    changes = Changes(lambda: AT)
    told = changes([event(1, "crossing"), event(2, "alert"), event(3, "crossing")])
    assert told == ["id: 3\nevent: crossing\ndata: 2\n\n", "id: 3\nevent: alert\ndata: 1\n\n"]
    assert changes([]) == []


def test_late_ones_are_told_now_and_then_and_none_is_forgotten() -> None:
    now = [AT]
    changes = Changes(lambda: now[0])
    late = b'{"late":true}'
    assert len(changes([event(1, "crossing", late)])) == 1
    now[0] += LATE_EVERY_US // 2
    assert changes([event(2, "crossing", late), event(3, "movement", b'{"at":5}')]) == []
    assert changes([event(4, "crossing")]) == ["id: 4\nevent: crossing\ndata: 1\n\n"]
    now[0] += LATE_EVERY_US
    assert changes([]) == ["id: 4\nevent: crossing\ndata: 1\n\n", "id: 4\nevent: movement\ndata: 1\n\n"]
    assert changes([]) == []


def test_what_is_late() -> None:
    assert is_late(event(1, "movement", b'{"at":%d}' % (AT - 301 * SECOND)))
    assert not is_late(event(1, "movement", b'{"at":%d}' % (AT - 299 * SECOND)))
    assert not is_late(event(1, "gateway", b'{"at":"soon"}'))
