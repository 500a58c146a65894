"""The client: every call, by subject."""

from __future__ import annotations

from strongroom_client.alarms import Alarms
from strongroom_client.apikeys import ApiKeys
from strongroom_client.approvals import Approvals
from strongroom_client.audit import Audit
from strongroom_client.backups import Backups
from strongroom_client.callers import Callers
from strongroom_client.jobs import Jobs
from strongroom_client.keysets import Keysets
from strongroom_client.logins import LogIns
from strongroom_client.passwords import Passwords
from strongroom_client.policies import Policies
from strongroom_client.results import FieldTypes
from strongroom_client.revealing import Revealing
from strongroom_client.tokenizing import Tokenizing
from strongroom_client.tokens import Tokens


class Client(
    Tokenizing, Revealing, Tokens, Passwords, LogIns, ApiKeys, Keysets, Jobs, Policies, Approvals, Callers,
    Audit, Alarms, Backups,
):  # fmt: skip
    """A strongroom server, as one API key sees it.

    Keep one a process, share it between threads, close it at the end.


    >>> Client("https://vault.example:8700", "sr_test_AAAAAAAAAAAAAAAAAAAAAA")
    <Client of https://vault.example:8700>
    """

    def fields(self) -> FieldTypes:
        """Return the field types the server knows."""
        return self._call("GET", "/v1/fields", FieldTypes)
