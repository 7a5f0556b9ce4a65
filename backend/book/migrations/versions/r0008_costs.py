"""Eighth revision: what stock is worth."""

revision, down_revision = "r0008", "r0007"


def upgrade() -> None:
    """Nothing yet."""
