"""One risk: an asset's last weeks from the telemetry store, what the model says of them, and why."""

from msgspec.structs import replace

from backend.book.risks import Repair, Risk
from backend.predict.store import history
from backend.telemetry.assets import spans
from backend.telemetry.store import Reader
from models.predict.card import MODEL
from models.predict.features import BACK_US, Raw, missing
from models.predict.folds import one_thread
from models.predict.reasons import score
from models.predict.registry import Model
from models.register import Register

__all__ = ["model_id", "one_thread", "risk"]


def model_id(model: Model) -> str:
    """What its rows name it by."""
    return f"{MODEL}/{model.card.version}"


def risk(store: Reader, register: Register, model: Model, of: tuple[str, int], repairs: list[Repair]) -> Risk:
    """The risk of (asset, time in microseconds); how far the store is complete is not known here."""
    asset, at = of
    recorded = history(store, spans(register, asset, at), repairs, at - BACK_US)
    overhauled_at = max((each.at for each in repairs), default=None)
    said = score(model, recorded, at)
    row = Risk(
        asset=asset,
        model=model_id(model),
        at=at,
        state="scored",
        threshold=model.card.threshold,
        overhauled_at=overhauled_at,
        complete_to=at,
    )
    if isinstance(said, Raw):
        what = missing(int(said.days[0]), int(said.recent[0]))
        return replace(row, state="not_enough_data", threshold=None, missing=what)
    return replace(row, risk=said.risk, reasons=tuple(said.reasons))
