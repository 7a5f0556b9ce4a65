"""A book whose assets are valued: machines that cost, run and go, and what is posted of them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from backend.asset_valuer import AssetValuer
from backend.book import asset_costs, asset_ledger, register
from backend.book.asset_costs import AssetCost
from backend.book.db import read, write
from backend.book.schema_value import asset_posting
from backend.valuer import Valuer
from models.assets.posting import Posting, by_month
from models.declared import Asset
from models.declared_assets import Acquired, DepreciationPolicy
from models.months import month_text, parse_month
from models.reading import micros
from tests.backend.books import Template, Yard

D = Decimal


def when(text: str) -> int:
    """Microseconds of a day, or a minute of it: "2026-10-20", "2026-10-20 09:30"."""
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


class Park(Yard):
    """A yard whose assets are valued."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.valuer = AssetValuer(self.book, self.clock)

    @classmethod
    def opened(cls, template: Template, folder: Path, now: str, name: str = "park") -> "Park":
        yard = Yard.copy(template, folder / f"{name}.db", when(now))
        return cls(yard.book, yard.clock)

    def declare(self, since: str, ident: str = "CRANE-7", **fields: Any) -> None:
        """An asset as the register has it from a day on; `bought` is its day and cost."""
        bought: tuple[str, str] | None = fields.pop("bought", None)
        how = fields.pop("how", None)
        acquired = None if bought is None else Acquired(date.fromisoformat(bought[0]), D(bought[1]))
        policy = None if how is None else DepreciationPolicy(**how)
        body = Asset("Crane", f"S-{ident}", acquired=acquired, depreciation=policy, **fields)
        with write(self.book) as tx:
            register.put(tx, "assets", ident, body, valid_from=when(since), actor="test", now=self.clock.now)

    def spend(self, ident: str, amount: str) -> None:
        """What improved the crane in February."""
        new = AssetCost(id=ident, asset="CRANE-7", at=date(2026, 2, 1), amount=D(amount), nature="improvement")
        with write(self.book) as tx:
            asset_costs.record(tx, register.load(tx), new, "ann", self.clock.now)

    def close(self, month: str) -> bool:
        """As people close one, for stock and assets together."""
        return Valuer(self.book, self.clock, self.valuer).close(parse_month(month), "ann", None)

    def posted(self, ident: str = "CRANE-7") -> list[Posting]:
        self.valuer.settle_all()
        with read(self.book) as tx:
            return asset_ledger.of_assets(tx, [ident])[ident]

    def flows(self, ident: str = "CRANE-7") -> dict[str, dict[str, str]]:
        """What is posted, by the month that it belongs to, in all."""
        return texts(by_month(self.posted(ident)))

    def count(self) -> int:
        with read(self.book) as tx:
            return len(tx.execute(select(asset_posting.c.n)).all())


def texts(of: Mapping[int, Mapping[Any, Decimal]]) -> dict[str, dict[str, str]]:
    return {
        month_text(month): {flow: str(amount) for flow, amount in sorted(flows.items()) if amount}
        for month, flows in sorted(of.items())
        if any(flows.values())
    }
