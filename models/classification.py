"""Stock, an asset, or a spare that may be capitalised: five answers, one table, and no item that contradicts them.

Stock is what leaves when it earns; an asset stays and is followed one by one. A capitalised spare is both in turn: it
lies in stock by quantity until one of it is put to use (IAS 16 paragraph 8: major spare parts are property, plant and
equipment when they are used for more than a period).
"""

from typing import Literal

from msgspec import Struct
from msgspec.structs import astuple, replace

from models.declared import Asset
from models.declared_stock import Answers, Classified, Item
from models.errors import Refused

Verdict = Literal["stock", "asset", "capitalised_spare"]

TABLE: tuple[tuple[tuple[bool | None, ...], Verdict, str], ...] = (
    (
        (True, None, None, True, None),
        "capitalised_spare",
        "kept to be used up, and its cost is capitalised: stock until one is put to use, then an asset",
    ),
    (
        (True, None, True, None, True),
        "capitalised_spare",
        "work stops without it, and it is serviced itself: stock until one is put to use, then an asset",
    ),
    ((True, None, None, None, None), "stock", "sold or used up: counted by quantity, its cost follows when it leaves"),
    ((False, None, None, True, None), "asset", "it stays, and its cost is capitalised"),
    ((False, None, True, None, None), "asset", "it stays, and needs services of its own"),
    ((False, True, None, None, None), "asset", "it stays, and the place of each single one must be known"),
    ((False, None, None, None, True), "asset", "it stays, and work stops when it goes wrong"),
    ((False, None, None, None, None), "stock", "neither capitalised nor followed one by one: a consumable"),
)
"""The answers in the order of `Answers`, None for either; the first row that fits decides."""
DECLARED_AS: dict[type[Struct], tuple[str, tuple[Verdict, ...]]] = {
    Item: ("an item", ("stock", "capitalised_spare")),
    Asset: ("an asset", ("asset", "capitalised_spare")),
}


def classify(answers: Answers) -> Classified:
    """The verdict on five answers, with its reason.

    >>> classify(Answers(True, False, False, False, False)).verdict
    'stock'
    """
    given: tuple[bool, ...] = astuple(answers)
    for wanted, verdict, reason in TABLE:
        if all(want in (None, said) for want, said in zip(wanted, given, strict=True)):
            return Classified(answers, verdict, reason)
    raise AssertionError(answers)


def checked(kind: str, ident: str, body: Struct) -> Struct:
    """An item or asset with the verdict on its answers. Raises Refused if they say that it is the other."""
    if not isinstance(body, (Item, Asset)) or body.classified is None:
        return body
    said = body.classified
    found = classify(said.answers)
    what, allowed = DECLARED_AS[type(body)]
    if found.verdict not in allowed:
        msg = f"{kind}.{ident}: classified: {' or '.join(allowed)} expected of {what}, the answers say {found.verdict}"
        raise Refused(f"{msg}: {found.reason}")
    if said.verdict not in (None, found.verdict):
        msg = f"{kind}.{ident}: classified.verdict: {found.verdict} expected after these answers, got {said.verdict}"
        raise Refused(msg)
    return replace(body, classified=found)
