"""Where audit records and checkpoints are kept outside of the database: one module a kind of place."""
