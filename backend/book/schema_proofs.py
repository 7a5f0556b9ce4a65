"""The table of proofs: a digest of every record about an asset, in one hash chain."""

from sqlalchemy import Column, Index, LargeBinary, String, Table, UniqueConstraint

from backend.book.schema import Big, metadata

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
