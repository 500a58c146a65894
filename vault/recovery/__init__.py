"""Encrypted backups on other servers: made, kept, verified, restored, and drilled."""
