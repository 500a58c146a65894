"""Rates of strongroom beside those of simple peers in the same run: `python -m bench`."""
