"""Why a token or certificate is not believed: a stable code for the log, and nothing for whoever sent it."""

from __future__ import annotations


class NotBelieved(Exception):
    """The token or certificate says nothing; `code` is one of our own words, and nothing that was sent is kept."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
