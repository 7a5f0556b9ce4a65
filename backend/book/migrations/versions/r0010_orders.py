"""Tenth revision: purchase orders, expected receipts and shipments."""

revision, down_revision = "r0010", "r0009"


def upgrade() -> None:
    """Nothing yet."""
