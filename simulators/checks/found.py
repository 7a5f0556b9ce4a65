"""What a check found."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Found:
    """One check: its figures, what is listed without being wrong, and the differences that make it fail."""

    check: str
    figures: dict[str, int | float | str] = field(default_factory=dict[str, int | float | str])
    listed: list[str] = field(default_factory=list[str])
    differences: list[str] = field(default_factory=list[str])

    @property
    def ok(self) -> bool:
        return not self.differences
