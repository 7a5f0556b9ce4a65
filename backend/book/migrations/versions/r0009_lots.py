"""Ninth revision: lots and reservations."""

revision, down_revision = "r0009", "r0008"


def upgrade() -> None:
    """Nothing yet."""
