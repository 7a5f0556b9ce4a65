"""Fifteenth revision: where assets are, who holds them, bookings and audits."""

from alembic import op
from sqlalchemy import BigInteger, Integer, MetaData

revision, down_revision = "r0015", "r0014"

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
