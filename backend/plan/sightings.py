"""Where assets are, noted whenever something says so; and what is seen that should not be there at all.

Assets that are gone and seen again, and tags with an asset's code that nobody registered.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct
from sqlalchemy import select

from backend.book import alerts, events, relocations, schema
from backend.identities import identities
from backend.plan.news import NEWS_US, told_at
from backend.plan.rule import SECOND_US, Rule, View
from backend.registers import register_name
from models import epc
from models.alert import Alert
from models.assets.asset import GONE
from models.assets.place import Place
from models.declared import Asset
from models.errors import BadCode
from models.identity import identify
from models.reading import from_micros
from models.register import Register

HOUR_US = 3600 * SECOND_US
GRACE_US = 24 * HOUR_US
"""An asset that was sold may be fetched until the next day."""


class Located(Struct, frozen=True):
    """Where an asset is, if it was ever seen."""

    asset: str
    place: Place | None


def load_places(view: View, assets: Sequence[str]) -> list[tuple[str, Located]]:
    """Of those that are in the register."""
    known = (each for each in assets if isinstance(view.register.get("assets", each, view.now), Asset))
    return [
        (f"asset:{each}", Located(each, relocations.place_of(view.tx, view.register, each, view.now))) for each in known
    ]


def note_place(view: View, facts: Located) -> None:
    """Keep where it is; what is on it went with it."""
    if facts.place is None:
        relocations.forget(view.tx, facts.asset)
    elif relocations.keep(view.tx, facts.asset, facts.place, view.now):
        events.stir(view.tx, _components(view.register, view.register.period(view.now)).get(facts.asset, ()), view.now)


@lru_cache(maxsize=8)
def _components(register: Register, at: int) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for ident, body in register.all("assets", at).items():
        if isinstance(body, Asset) and body.parent is not None:
            found.setdefault(body.parent, []).append(ident)
    return found


def told_nobody(_facts: Located, _now: int) -> None:
    """A place calls for no alert."""


class Ghostly(Struct, frozen=True):
    """An asset that is gone, and where it was seen since; `told` is when what was told last was."""

    asset: str
    name: str
    state: str
    gone_at: int
    place: Place | None
    told: int


def load_gone(view: View, assets: Sequence[str]) -> list[tuple[str, Ghostly]]:
    """Assets that were sold, recycled or disposed of."""
    found: list[tuple[str, Ghostly]] = []
    for asset in assets:
        body = view.register.get("assets", asset, view.now)
        if isinstance(body, Asset) and body.state in GONE:
            since = _gone_since(view.register, asset, view.now)
            place = relocations.place_of(view.tx, view.register, asset, view.now)
            subject = f"asset:{asset}"
            told = told_at(alerts.last_details(view.tx, "seen_after_disposal", [subject]).get(subject))
            found.append((subject, Ghostly(asset, body.name, body.state, since, place, told)))
    return found


def _gone_since(register: Register, asset: str, now: int) -> int:
    since = now
    for entry in reversed(register.entries.get(("assets", asset), [])):
        if entry.valid_from <= now:
            if not (isinstance(entry.body, Asset) and entry.body.state in GONE):
                break
            since = entry.valid_from
    return since


def seen_after_disposal(facts: Ghostly, now: int) -> Alert | None:
    """Somebody has it still, or again: told once for each time that it came to a place since, more than a day later."""
    place = facts.place
    if place is None or place.place is None or place.since <= max(facts.gone_at + GRACE_US, facts.told):
        return None
    if place.since < now - NEWS_US:
        return None
    title = f"{facts.name} is {facts.state}, and was seen at {place.place}"
    detail = {"asset": facts.asset, "place": place.place, "by": place.id, "evidence": place.evidence}
    at = {"at": from_micros(place.since).isoformat(), "gone_at": from_micros(facts.gone_at).isoformat()}
    return Alert("seen_after_disposal", f"asset:{facts.asset}", "warning", title, json.dumps(detail | at))


class Stranger(Struct, frozen=True):
    """A tag with an asset's code: where it was heard last, and whether the register knows it by now."""

    tag: str
    code: str
    is_known: bool
    where: str | None
    at: int
    received_at: int
    evidence: list[str]


def load_unregistered(view: View, tags: Sequence[str]) -> list[tuple[str, Stranger]]:
    """Tags whose code is a GIAI or GRAI."""
    found: list[tuple[str, Stranger]] = []
    for tag in tags:
        code = _asset_code(tag)
        if code is not None:
            what = identify(tag, identities(view.register, view.now, tag))
            is_known = what.kind != "asset" or what.asset is not None
            found.append((f"tag:{tag}", _heard(view, tag, code, is_known=is_known)))
    return found


def _asset_code(tag: str) -> str | None:
    try:
        code = epc.decode(tag)
    except BadCode:
        return None
    return code.uri if code.scheme in {"giai", "grai"} else None


def _heard(view: View, tag: str, code: str, *, is_known: bool) -> Stranger:
    rows = [
        view.tx.execute(select(table).where(table.c.subject == tag).order_by(table.c.closed_at.desc()).limit(1)).first()
        for table in (schema.crossing, schema.presence)
    ]
    row = max((each for each in rows if each is not None), key=lambda each: each.closed_at, default=None)
    if row is None:
        return Stranger(tag, code, is_known, None, 0, 0, [])
    device = register_name(view.tx, row.device_id)
    where = getattr(row, "place", None) or device
    return Stranger(tag, code, is_known, where, row.closed_at, view.now, json.loads(row.evidence))


def unregistered(facts: Stranger, now: int) -> Alert | None:
    """Somebody's asset that no register entry names, until one does, or nobody hears it for thirty days."""
    if facts.is_known or facts.where is None or facts.at < now - 30 * NEWS_US:
        return None
    title = f"An asset that is not registered was seen at {facts.where}: {facts.code.rpartition(':')[2]}"
    detail = {"epc": facts.tag, "code": facts.code, "where": facts.where, "evidence": facts.evidence}
    at = {"at": from_micros(facts.at).isoformat()}
    return Alert("unregistered_asset", f"tag:{facts.tag}", "info", title, json.dumps(detail | at))


def _told_strangers(view: View) -> list[str]:
    return [subject.partition(":")[2] for subject in alerts.open_subjects(view.tx, "unregistered_asset")]


RELOCATED = Rule("relocated", "asset", load_places, told_nobody, settle=note_place)
SEEN_AFTER_DISPOSAL = Rule("seen_after_disposal", "asset", load_gone, seen_after_disposal, is_state=False)
UNREGISTERED = Rule(
    "unregistered_asset", "tag", load_unregistered, unregistered, everything=_told_strangers, every_us=HOUR_US
)
