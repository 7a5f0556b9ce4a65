"""Calendar entries as iCalendar (RFC 5545): all-day events in UTC's days, without a time zone to be wrong about."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from models.mail import one_line
from models.maintenance.feed import Entry
from models.reading import from_micros

MEDIA_TYPE = "text/calendar; charset=utf-8"
PRODUCT = "-//Stockyard//Maintenance//EN"
DOMAIN = "stockyard"


def encode(name: str, entries: Iterable[Entry]) -> bytes:
    """A calendar of this name. The same entries are the same bytes: stamps are of their last change."""
    from icalendar import Calendar, Event  # noqa: PLC0415 - half a second that only who asks for a calendar waits

    calendar = _filled(Calendar(), {"prodid": PRODUCT, "version": "2.0", "x-wr-calname": one_line(name)})
    for each in entries:
        calendar.add_component(_filled(Event(), _fields(each)))
    return bytes(calendar.to_ical())


def _filled(component: Any, fields: Mapping[str, object]) -> Any:  # noqa: ANN401 - the library says little of its types
    for name, value in fields.items():
        component.add(name, value)
    return component


def _fields(entry: Entry) -> dict[str, object]:
    changed_at = from_micros(entry.changed_at).replace(microsecond=0)
    return {
        "uid": f"{entry.uid}@{DOMAIN}",
        "dtstamp": changed_at,
        "last-modified": changed_at,
        "sequence": entry.sequence,
        "dtstart": entry.begin,
        "dtend": entry.end + timedelta(days=1),
        "summary": one_line(entry.title),
        "description": "\n".join(map(_clean, entry.text.split("\n"))),
        "status": "CANCELLED" if entry.is_cancelled else "CONFIRMED",
        "transp": "TRANSPARENT",
    }


def _clean(line: str) -> str:
    return "".join(each for each in line if unicodedata.category(each) not in {"Cc", "Cs"})
