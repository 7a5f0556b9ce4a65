"""Nineteenth revision: who is told of alerts, and mail."""

from alembic import op
from sqlalchemy import BigInteger, Integer, MetaData

revision, down_revision = "r0019", "r0018"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """The tables."""
    metadata.create_all(op.get_bind())
