"""Passwords are hashed in one process for the whole host: what it and its callers say, and the two ends of the line."""
