"""The book: journal, register, ledgers, derived facts, alerts and marks, in SQLite or PostgreSQL."""
