"""Who may see which field how, for which purpose: a document in TOML, checked, compiled, and asked in columns."""
