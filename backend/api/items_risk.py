"""The shape of answers about predictions: the risk of an asset with its reasons, and the models that say it."""

from datetime import datetime

from msgspec import Struct

from models.predict.alarm import Reason
from models.predict.card import Card


class Risk(Struct, frozen=True):
    """What a model said of an asset at a time; `risk` is null where there is not enough data (`missing`)."""

    asset: str
    state: str
    """`scored` or `not_enough_data`."""
    at: datetime
    risk: float | None
    """Probability that the component fails within the model's horizon."""
    threshold: float | None
    """An alert at or above it."""
    reasons: list[Reason]
    missing: str | None
    model: str
    complete_to: datetime
    """Older where readings of before `at` had not come yet."""


class Model(Struct, frozen=True):
    """A model that is kept; the current one serves unless it is refused, which an alert says."""

    is_current: bool
    card: Card
