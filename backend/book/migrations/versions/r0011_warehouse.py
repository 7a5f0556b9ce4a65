"""Eleventh revision: picks, put-away, counts and sweeps."""

revision, down_revision = "r0011", "r0010"


def upgrade() -> None:
    """Nothing yet."""
