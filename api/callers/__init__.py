"""Callers beside API keys: who an OIDC token or a client certificate says they are, and where a request comes from."""
