"""The book: journal, register, ledgers, derived facts, alerts and marks, in SQLite or PostgreSQL."""

from backend.book import (
    schema,
    schema_contents,
    schema_costs,
    schema_custody,
    schema_desk,
    schema_expected,
    schema_lots,
    schema_notify,
    schema_orders,
    schema_plans,
    schema_proofs,
    schema_use,
    schema_value,
    schema_warehouse,
    schema_work,
)

TABLES_OF = (
    schema,
    schema_contents,
    schema_costs,
    schema_custody,
    schema_desk,
    schema_expected,
    schema_lots,
    schema_notify,
    schema_orders,
    schema_plans,
    schema_proofs,
    schema_use,
    schema_value,
    schema_warehouse,
    schema_work,
)
"""Importing them declares every table in `schema.metadata`; migrations, backups and tests go by it."""
