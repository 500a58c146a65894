"""Root keys, one module a provider."""
