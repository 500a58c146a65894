"""Runs migrations on the connection that `vault.store.migrate` opened."""

from alembic import context

from vault.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
