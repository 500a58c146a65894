"""Servers that backups lie on: a module a kind behind one Protocol."""
