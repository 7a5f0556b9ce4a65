"""The dossier of an asset: all that is known of it at a moment, with what proves it."""

from datetime import datetime

from msgspec import Struct

from backend.api.items import Registered
from backend.api.items_asset_value import AssetEntry, AssetValue
from backend.api.items_assets import Due, Service
from backend.api.items_custody import AssetPlace, CustodyChain
from backend.api.items_fleet import MeterUse
from backend.api.items_use import MeterNote, Stop
from backend.api.items_work import WorkHead


class Proved(Struct, frozen=True):
    """One record about the asset in the chain of all assets: its kind and number, its digest and its link, SHA-256."""

    n: int
    kind: str
    record: int
    digest: str
    hash: str


class Proofs(Struct, frozen=True):
    """The asset's records, and the last link of the chain: who keeps it can tell later whether any was changed."""

    records: list[Proved]
    head: int
    hash: str


class Dossier(Struct, frozen=True, kw_only=True):
    """An asset as of `at`, by all that is known at `made_at`; readings are whole up to `complete_to`.

    `meters` count from when it was first declared. What is null was never known.
    """

    asset: str
    at: datetime
    made_at: datetime
    complete_to: datetime
    declared: list[Registered]
    place: AssetPlace | None
    custody: CustodyChain
    meters: list[MeterUse]
    value: AssetValue | None
    entries: list[AssetEntry]
    due: list[Due]
    services: list[Service]
    work_orders: list[WorkHead]
    downtimes: list[Stop]
    notes: list[MeterNote]
    proofs: Proofs
