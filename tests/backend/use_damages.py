"""Rows of notes on meters and of stops that cannot be, for the tests of `stockyard verify`."""

_NAME = "meter notes and stops"
_NOTE = """INSERT INTO meter_note (id, asset, meter, at, kind, value, reason, actor, recorded_at)
    VALUES ('n', 'TRUCK-1', 'sundial', 1, 'reading', '1', 'x', 'x', 1)"""
_STOP = """INSERT INTO downtime (id, asset, begin_at, end_at, planned, reason, actor, recorded_at)
    VALUES ('d', 'TRUCK-1', 2, 1, false, 'x', 'x', 1)"""
_END = "INSERT INTO meter_note_end (note, reason, actor, recorded_at) VALUES ('gone', 'x', 'x', 1)"
OF_USE = [(_NAME, _NOTE), (_NAME, _STOP), (_NAME, _END)]
