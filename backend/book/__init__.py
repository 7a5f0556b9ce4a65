"""The book: journal, register, ledgers, derived facts, alerts and marks, in SQLite or PostgreSQL."""

from backend.book import (
    schema,
    schema_costs,
    schema_expected,
    schema_lots,
    schema_notify,
    schema_orders,
    schema_warehouse,
)

TABLES_OF = (
    schema,
    schema_costs,
    schema_expected,
    schema_lots,
    schema_notify,
    schema_orders,
    schema_warehouse,
)
"""Importing them declares every table in `schema.metadata`; migrations, backups and tests go by it."""
