"""The only SQL: tables, statements and migrations, on SQLite and PostgreSQL."""
