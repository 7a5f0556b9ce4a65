"""How Alembic runs a revision on the book: on our own engine, as a writer, one transaction per revision."""

from alembic import context
from sqlalchemy import Engine

from backend.book.db import WRITER
from backend.book.schema import metadata


def run() -> None:
    """Upgrade the engine that `migrate` passed on."""
    engine = context.config.attributes["engine"]
    assert isinstance(engine, Engine)  # noqa: S101 - only `migrate` runs this
    with engine.connect().execution_options(**{WRITER: True}) as connection:
        context.configure(
            connection=connection, target_metadata=metadata, transactional_ddl=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()


run()
