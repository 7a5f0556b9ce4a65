"""The table of what went through doors on pallets without being read by itself."""

from sqlalchemy import Column, Index, Integer, String, Table

from backend.book.schema import metadata

content_move = Table(
    "content_move",
    metadata,
    Column("crossing", String(36), primary_key=True, comment="of the pallet's tag"),
    Column("child", String(128), primary_key=True, comment="the carton, as PACK names it"),
    Column("pallet", String(128), nullable=False, comment="whose tag crossed, as PACK names it"),
    Column("day", Integer, nullable=False, comment="the crossing's"),
    Column("act", String(36), nullable=False, comment="of PACK, that put the carton where it is"),
    Column("movement", String(36), nullable=False, comment="movement_id of the ledger"),
    Index("ix_content_move_pallet", "pallet"),
    Index("ix_content_move_movement", "movement"),
)
