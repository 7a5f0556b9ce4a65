"""Readings of before the seal: kept beside the journal, listed, counted, told once a device, and they move nothing."""

import json
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection

from backend.book import journal
from backend.book.journal import Arrival
from backend.registers import register_id
from models.alert import Alert
from models.reading import from_micros

RULE = "too_late"


def keep(tx: Connection, arrivals: Sequence[Arrival], now: int) -> None:
    """Journal them apart from what is folded, and count them by gateway."""
    journal.add(tx, arrivals, is_late=True)
    for gateway, count in Counter(arrival.gateway for arrival in arrivals).items():
        journal.count_refused(tx, gateway, RULE, count, now)


def told(arrivals: Sequence[Arrival], sealed: int) -> list[Alert]:
    """One alert for each device that told of a time before `sealed` (microseconds)."""
    of_device = {register_id(arrival.gateway, arrival.reading.device): arrival for arrival in arrivals}
    since = from_micros(sealed).isoformat() if arrivals else ""
    return [
        _alert(name, {"at": arrival.reading.at.isoformat(), "sealed": since}) for name, arrival in of_device.items()
    ]


def _alert(name: str, detail: dict[str, str]) -> Alert:
    title = f"{name} told of a time that is sealed: it is kept, and changes nothing"
    return Alert(RULE, f"device:{name}", "warning", title, json.dumps(detail))
