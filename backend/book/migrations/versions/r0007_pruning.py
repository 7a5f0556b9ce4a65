"""Seventh revision: the journal is pruned behind sealed checkpoints."""

revision, down_revision = "r0007", "r0006"


def upgrade() -> None:
    """Nothing yet."""
