"""Samples as they are told: each figure with its name and unit."""

from backend.telemetry.columns import columns
from backend.telemetry.rows import Sample

Value = tuple[str, str, float]
"""(name, unit, value)"""


def sample(device: str, at: int, content: int, *values: Value) -> Sample:
    """As it is measured from one reading."""
    told = columns(*[(name, unit) for name, unit, _ in values])
    return Sample(device, at, content, tuple([value + 0.0 for *_, value in values]), told)


def values(of: Sample) -> list[Value]:
    """What it was told."""
    return [(*series, value) for series, value in zip(of.columns.series, of.values, strict=True)]
