"""Passwords: Argon2id and what other systems kept of them, verified and never revealed."""
