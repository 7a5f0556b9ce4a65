"""`stockyard train`, without its command line: from what, to where, and what to print of it."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from backend.book.db import open_engine
from backend.book.migrations import pending
from backend.config import Config
from backend.predict import registry
from backend.predict.progress import Shown
from backend.telemetry import open_store
from backend.telemetry.store import Store
from models.predict.card import Card, Figure


class NotTrained(Exception):
    """There is no model; the message says why."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What there is to learn from, if not a file."""

    book: Engine
    telemetry: Store


def train(source: Path | Stores, seed: int) -> tuple[bytes, Card]:
    """A model's file and card. Raises NotTrained; ImportError without the extra `ml`; OSError, Refused.

    What is stopped leaves nothing behind but features that the next run begins with.
    """
    from backend.predict import train as training  # noqa: PLC0415 - needs the extra `ml`
    from models.predict.training import NotEnoughData, Settings  # noqa: PLC0415 - likewise

    try:
        with Shown() as shown:
            if isinstance(source, Path):
                return training.train_on_file(source, Settings(seed), shown.tell)
            return training.train_on_store(source.book, source.telemetry, Settings(seed), shown.tell)
    except NotEnoughData as error:
        raise NotTrained(str(error)) from error
    except KeyboardInterrupt as error:
        raise NotTrained("stopped; nothing was written but the features that were made") from error


def stores(config: Config) -> Stores:
    """The own stores. Raises OSError if there is no book yet, or one to be migrated first."""
    book = open_engine(config.book.url, config.state_dir / "book.db")
    is_there = config.book.url != "sqlite" or (config.state_dir / "book.db").exists()
    if not is_there or pending(book):
        raise OSError(f"{config.book.url}: the book is not there or not up to date; stockyard migrate")
    store = open_store(config)
    store.prepare()
    return Stores(book, store)


def keep(file: bytes, card: Card, config: Config | None, out: Path | None) -> list[Path]:
    """Where the model went: into a folder, and to the models of a backend as its current one."""
    kept: list[Path] = []
    if out is not None:
        registry.write(out, file, card)
        kept.append(out)
    if config is not None:
        kept.append(registry.Registry(config.state_dir).save(file, card))
    return kept


def rows(card: Card) -> list[tuple[str, str, str]]:
    """The card's figures: name, value, 90 % interval; and beside what they are to be held."""
    skill = card.skill
    return [
        ("model", f"{card.model} {card.version}", card.learner),
        ("learnt from", f"{card.data.machines - skill.machines} machines", f"{card.data.rows:,} rows"),
        ("held back", f"{skill.machines} machines", f"{skill.failures} failures in {skill.machine_months:.0f} months"),
        ("announced a day ahead", *_told(skill.announced, 100, " %")),
        ("false alerts per machine-month", *_told(skill.false_per_machine_month, 1, "")),
        ("notice, median", "-" if skill.notice_h is None else f"{skill.notice_h:.0f} h", ""),
        ("PR-AUC", *_told(skill.pr_auc, 1, "")),
        ("PR-AUC of a guess (base rate)", "-" if skill.base_rate is None else f"{skill.base_rate:.3f}", ""),
        ("PR-AUC of hours alone", *_told(skill.pr_auc_hours_only, 1, "")),
        ("threshold", f"{card.threshold:.3f}", f"a miss costs {card.costs.miss:g}, a false alert {card.costs.false:g}"),
    ]


def _told(figure: Figure, times: float, unit: str) -> tuple[str, str]:
    digits = 0 if unit else 3
    value = "-" if figure.value is None else f"{figure.value * times:.{digits}f}{unit}"
    if figure.low is None or figure.high is None:
        return value, ""
    return value, f"{figure.low * times:.{digits}f} … {figure.high * times:.{digits}f}{unit}"
