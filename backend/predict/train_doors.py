"""`stockyard train-doors`: labelled passes of one layout of antennas, to a judge of that layout in one file.

The file has its own card: what it learnt from, and how well it judges passes that were kept out of it.
"""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from backend.predict.progress import Shown
from models.dock.learned import Card, Figure, Name
from models.errors import Refused

FAILED, CONFIGURATION, UNAVAILABLE = 1, 3, 4


def train_doors(  # noqa: PLR0913 - each is an option of the command
    *,
    source: Annotated[Path, typer.Option("--from", help="Labelled passes, as stockyard-sim passes writes them.")],
    out: Annotated[Path, typer.Option(help="The folder to write NAME.json to.")],
    name: Annotated[str, typer.Option(help="Of the model: lower case letters, digits, hyphens.")] = "two-rows",
    timeout_s: Annotated[float, typer.Option("--timeout", min=0.1, max=3600, help="Of the door, seconds.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Which passes are held back, and the learner's chance.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> None:
    """Fit a model that tells in which direction a tag went; prints how good it is on passes it has not learnt from."""
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(f"--name: {error}") from error
    try:
        file, card = _train(source, name, timeout_s, seed)
        path = write(out, name, file)
    except ImportError as error:
        raise _failed(f"{error}: pip install 'stockyard[ml]'", UNAVAILABLE) from error
    except OSError as error:
        raise _failed(str(error), UNAVAILABLE) from error
    except Refused as error:
        raise _failed(str(error), CONFIGURATION) from error
    typer.echo(f"wrote {path}", err=True)
    if as_json:
        typer.echo(msgspec.json.encode(card))
        return
    shown = Table("passes held back", "tag passes", "unread", "learned", "no Doppler", "rule", title=name)
    for kind, figure in {"all": card.all, **card.kinds}.items():
        shown.add_row(kind, *_cells(figure))
    Console(soft_wrap=True).print(shown)


def _train(source: Path, name: str, timeout_s: float, seed: int) -> tuple[bytes, Card]:
    from backend.predict import pass_file  # noqa: PLC0415 - needs the extra `ml`
    from models.predict import direction  # noqa: PLC0415 - likewise

    try:
        with Shown() as shown:
            passes = pass_file.read(source, timeout_s, shown.tell)
            return direction.train(passes, name, seed, shown.tell)
    except direction.NotEnoughPasses as error:
        raise _failed(str(error), FAILED) from error
    except KeyboardInterrupt as error:
        raise _failed("stopped; nothing was written", FAILED) from error


def write(folder: Path, name: str, file: bytes) -> Path:
    """A model's file, whole or not at all, on the disk when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as target:
        target.write(file)
        target.flush()
        os.fsync(target.fileno())
    part.replace(path)
    return path


def _cells(figure: Figure) -> tuple[str, ...]:
    quiet = "" if figure.quiet is None else f"{figure.quiet:.3f}"
    return (f"{figure.tag_passes:,}", f"{figure.unread:,}", f"{figure.learned:.3f}", quiet, f"{figure.rule:.3f}")


def _failed(text: str, status: int) -> typer.Exit:
    typer.echo(f"stockyard: {text}", err=True)
    return typer.Exit(status)
