"""Twenty-first revision: proofs of the records about assets; frozen."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint

revision, down_revision = "r0021", "r0020"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

asset_proof = Table(
    "asset_proof",
    metadata,
    Column("n", Big, primary_key=True, autoincrement=False, comment="1, 2, ... without a hole"),
    Column("asset", String(64), nullable=False),
    Column("kind", String(16), nullable=False, comment="declared, custody, service, work, value ..."),
    Column("source_n", Big, nullable=False, comment="the record's own number"),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the record"),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256 of the one before and this"),
    UniqueConstraint("kind", "source_n"),
    Index("ix_asset_proof_asset", "asset", "n"),
)


def upgrade() -> None:
    """The table."""
    metadata.create_all(op.get_bind())
