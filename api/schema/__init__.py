"""What requests and replies hold: the same classes decode, encode and describe both in OpenAPI."""
