"""What people said of meters and of stops: each about an asset, of a meter that there is, and possible."""

from sqlalchemy import select

from backend.book.schema_use import downtime, meter_note, meter_note_end
from backend.verify.folds import Seen
from models.motion.meter import EACH
from models.motion.noted import WHATS


def notes_and_stops(seen: Seen) -> tuple[str, list[str]]:
    """Notes are of meters and sorts that there are, what was withdrawn is a note, and stops end after they begin."""
    notes = seen.tx.execute(select(meter_note)).all()
    stops = seen.tx.execute(select(downtime)).all()
    assets = {ident for kind, ident in seen.register.entries if kind == "assets"}
    wrong = [
        f"meter note {row.id}: {row.kind} of {row.meter} of {row.asset}"
        for row in notes
        if row.meter not in EACH or row.kind not in WHATS or row.asset not in assets
    ]
    known = {row.id for row in notes}
    ended = seen.tx.scalars(select(meter_note_end.c.note)).all()
    wrong += [f"meter note {ident} was withdrawn and is not there" for ident in ended if ident not in known]
    wrong += [
        f"downtime {row.id}: of {row.asset}, ends at {row.end_at}, begins at {row.begin_at}"
        for row in stops
        if row.asset not in assets or (row.end_at is not None and row.end_at <= row.begin_at)
    ]
    return f"{len(notes)} notes on meters, {len(stops)} stops", wrong
