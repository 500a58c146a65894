"""The vault: values in, tokens out; it knows no HTTP, no environment and no clock of its own."""
