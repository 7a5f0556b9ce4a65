"""Sixth revision: leases are used. Their names hold a gateway's name, their workers a host's; frozen as it was then."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table

revision, down_revision = "r0006", "r0005"

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})
Big = BigInteger().with_variant(Integer, "sqlite")

lease = Table(
    "lease",
    metadata,
    Column("name", String(128), primary_key=True, comment="gateway/NAME, part/NAME, worker/ID"),
    Column("worker", String(128), nullable=False),
    Column("generation", Big, nullable=False, comment="one more each time that another takes it"),
    Column("until", Big, nullable=False, comment="microseconds by the database's clock"),
)


def upgrade() -> None:
    """The table was there and nothing used it."""
    op.drop_table("lease")
    metadata.create_all(op.get_bind())
