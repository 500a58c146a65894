"""The audit: what was done, by whom, to which tokens; never a value."""
